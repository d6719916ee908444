#!/bin/bash
# pki.sh DIR: the failure lab's authorities and certificates: one good server, and one for each way to get a certificate wrong.
# With openssl alone; the two certificates that are out of date are made by `openssl ca', which takes dates.
set -eu
cd "$1"
key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key" 2>/dev/null; }
root() { # NAME SUBJECT
    key "$1"
    openssl req -x509 -new -key "$1.key" -subj "$2" -days 3650 -out "$1.pem" \
        -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null
}
issue() { # NAME ISSUER SUBJECT EXTENSIONS [openssl x509 options]; NAME.ca.pem: what a server sends beside it
    local n=$1 ca=$2 subject=$3 ext=$4; shift 4
    [ -f "$n.key" ] || key "$n"
    openssl req -new -key "$n.key" -subj "$subject" -out "$n.csr" 2>/dev/null
    printf '%b' "$ext" >"$n.ext"
    openssl x509 -req -in "$n.csr" -CA "$ca.pem" -CAkey "$ca.key" -extfile "$n.ext" -days 90 -out "$n.pem" "$@" 2>/dev/null
    cp "$ca.pem" "$n.ca.pem"
}
ids='subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n'
authority="basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\n$ids"
server="basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\n$ids"
here='subjectAltName=DNS:localhost\n'

root top '/O=Failure Lab/CN=Failure Lab Root'
root stranger '/O=Another House/CN=A Root Of Another House'
issue int top '/O=Failure Lab/CN=Failure Lab Intermediate' "$authority"
issue narrow top '/O=Failure Lab/CN=Narrow Intermediate' "${authority}nameConstraints=critical,permitted;DNS:corp.example\n"
issue noca top '/O=Failure Lab/CN=No Authority' "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n$ids"
issue strangerint stranger '/O=Another House/CN=Intermediate Of Another House' "$authority"

issue good int '/CN=localhost' "$server$here"
issue wronghost int '/CN=www.example.test' "${server}subjectAltName=DNS:www.example.test,DNS:example.test\n"
issue unknownca strangerint '/CN=localhost' "$server$here"
openssl genrsa -out sha1.key 2048 2>/dev/null
issue sha1 int '/CN=localhost' "$server$here" -sha1
openssl genrsa -out rsa1024.key 1024 2>/dev/null
issue rsa1024 int '/CN=localhost' "$server$here"
issue wrongeku int '/CN=localhost' "${server/serverAuth/clientAuth}$here"
issue revoked int '/CN=localhost' "${server}${here}authorityInfoAccess=OCSP;URI:http://127.0.0.1:9/\n"
issue muststaple int '/CN=localhost' "${server}${here}tlsfeature=status_request\n"
issue cnonly int '/CN=localhost' "$server"
issue nameconstraint narrow '/CN=localhost' "$server$here"
issue issuernotca noca '/CN=localhost' "$server$here"
issue critext int '/CN=localhost' "$server${here}1.2.3.4.5=critical,ASN1:UTF8String:hello\n"
issue badclient stranger '/CN=mallory' 'keyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\n'
issue client int '/CN=alice' 'keyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\n'
key selfsigned
openssl req -x509 -new -key selfsigned.key -subj /CN=localhost -addext subjectAltName=DNS:localhost -days 90 -out selfsigned.pem 2>/dev/null

# what `openssl ca' remembers: one revoked certificate; then the list, and an answer of the OCSP responder
day() { date -u -d "$1" +%y%m%d%H%M%SZ; }
printf 'R\t%s\t%s,keyCompromise\t%s\tunknown\t/CN=localhost\n' "$(day '+90 days')" "$(day '-1 hour')" \
    "$(openssl x509 -in revoked.pem -noout -serial | cut -d= -f2)" >index.txt
echo 'unique_subject = no' >index.txt.attr
echo 01 >crlnumber
cat >ca.cnf <<C
[ca]
default_ca=c
[c]
database=index.txt
new_certs_dir=.
rand_serial=yes
crlnumber=crlnumber
certificate=int.pem
private_key=int.key
default_md=sha256
default_crl_days=30
policy=p
[p]
commonName=supplied
C
openssl ca -config ca.cnf -gencrl -out int.crl 2>/dev/null
sed 's/int\./top./; s/index.txt/topindex.txt/' ca.cnf >top.cnf
sed -i 's/private_key=int/private_key=top/' top.cnf
: >topindex.txt
openssl ca -config top.cnf -gencrl -out top.crl 2>/dev/null
openssl ocsp -issuer int.pem -cert revoked.pem -reqout revoked.req -no_nonce 2>/dev/null
openssl ocsp -index index.txt -CA int.pem -rsigner int.pem -rkey int.key -reqin revoked.req -respout revoked.resp -ndays 7 >/dev/null 2>&1
dated() { # NAME FROM TO
    openssl ca -config ca.cnf -batch -notext -in good.csr -extfile good.ext -startdate "$2" -enddate "$3" -out "$1.pem" 2>/dev/null
    cp good.key "$1.key"
    cp int.pem "$1.ca.pem"
}
dated expired 20240110000000Z 20240409000000Z
dated notyet 20310601000000Z 20310830000000Z
