import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.security.GeneralSecurityException;
import java.security.Security;
import java.security.cert.CertPathBuilder;
import java.security.cert.CertPathValidator;
import java.security.cert.CertStore;
import java.security.cert.CertificateFactory;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXBuilderParameters;
import java.security.cert.PKIXCertPathValidatorResult;
import java.security.cert.PKIXParameters;
import java.security.cert.PKIXRevocationChecker;
import java.security.cert.PolicyNode;
import java.security.cert.TrustAnchor;
import java.security.cert.X509CertSelector;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Date;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/* Java's CertPathValidator and CertPathBuilder (PKIX) as judges of chains, for test_paths.py.  A case is a line of words WHAT or WHAT=LIST on
 * standard input, DER in base64; an answer is "ok POLICY,..." or "no" and why.
 *   time=RFC3339  chain= leaf first  pool= more certificates  anchors=  crls= (without: revocation is not looked at)
 *   build: the chain is only its leaf and whatever may help  policies=  explicit  nomapping  noany */
public final class Paths {
    private static final String ANY = "2.5.29.32.0";
    private final Map<String, String> options = new HashMap<>();
    private final CertificateFactory factory = CertificateFactory.getInstance("X.509");

    private Paths(String line) throws GeneralSecurityException {
        for (String word : line.split(" ")) {
            String[] part = word.split("=", 2);
            options.put(part[0], part.length > 1 ? part[1] : "");
        }
    }

    private boolean has(String option) {
        return options.containsKey(option);
    }

    private List<InputStream> list(String option) {
        List<InputStream> all = new ArrayList<>();
        for (String one : options.getOrDefault(option, "").split(","))
            if (!one.isEmpty())
                all.add(new ByteArrayInputStream(Base64.getDecoder().decode(one)));
        return all;
    }

    private List<X509Certificate> certificates(String option) throws GeneralSecurityException {
        List<X509Certificate> all = new ArrayList<>();
        for (InputStream in : list(option))
            all.add((X509Certificate) factory.generateCertificate(in));
        return all;
    }

    private <P extends PKIXParameters> P with(P p, PKIXRevocationChecker revocation, List<Object> stored) throws GeneralSecurityException {
        p.setDate(Date.from(Instant.parse(options.get("time"))));
        p.setExplicitPolicyRequired(has("explicit"));
        p.setPolicyMappingInhibited(has("nomapping"));
        p.setAnyPolicyInhibited(has("noany"));
        p.setPolicyQualifiersRejected(false);
        if (has("policies"))
            p.setInitialPolicies(new HashSet<>(List.of(options.get("policies").split(","))));
        p.setRevocationEnabled(has("crls"));
        if (has("crls")) {
            revocation.setOptions(EnumSet.of(PKIXRevocationChecker.Option.PREFER_CRLS, PKIXRevocationChecker.Option.NO_FALLBACK));
            p.addCertPathChecker(revocation);
        }
        p.addCertStore(CertStore.getInstance("Collection", new CollectionCertStoreParameters(stored)));
        return p;
    }

    /* RFC 5280 6.1.5 (g)(iii)(1): what begins below anyPolicy, and anyPolicy itself where it lasts to the end. */
    private static void begun(PolicyNode any, Set<String> valid) {
        if (!any.getChildren().hasNext() && any.getDepth() > 0)
            valid.add(ANY);
        for (Iterator<? extends PolicyNode> i = any.getChildren(); i.hasNext();) {
            PolicyNode node = i.next();
            if (node.getValidPolicy().equals(ANY))
                begun(node, valid);
            else
                valid.add(node.getValidPolicy());
        }
    }

    private String judge() throws GeneralSecurityException {
        List<X509Certificate> chain = certificates("chain");
        Set<TrustAnchor> anchors = new HashSet<>();
        for (X509Certificate c : certificates("anchors"))
            anchors.add(new TrustAnchor(c, null));
        List<Object> stored = new ArrayList<>(chain);
        stored.addAll(certificates("pool"));
        for (InputStream in : list("crls"))
            stored.add(factory.generateCRL(in));
        PKIXCertPathValidatorResult r;
        if (has("build")) {
            CertPathBuilder builder = CertPathBuilder.getInstance("PKIX");
            X509CertSelector leaf = new X509CertSelector();
            leaf.setCertificate(chain.get(0));
            PKIXBuilderParameters p = with(new PKIXBuilderParameters(anchors, leaf), (PKIXRevocationChecker) builder.getRevocationChecker(), stored);
            p.setMaxPathLength(-1);
            r = (PKIXCertPathValidatorResult) builder.build(p);
        } else {
            CertPathValidator validator = CertPathValidator.getInstance("PKIX");
            PKIXParameters p = with(new PKIXParameters(anchors), (PKIXRevocationChecker) validator.getRevocationChecker(), stored);
            r = (PKIXCertPathValidatorResult) validator.validate(factory.generateCertPath(chain), p);
        }
        Set<String> valid = new TreeSet<>();
        if (r.getPolicyTree() != null)
            begun(r.getPolicyTree(), valid);
        return "ok " + String.join(",", valid);
    }

    public static void main(String[] args) throws Exception {
        Security.setProperty("jdk.certpath.disabledAlgorithms", "MD2, MD5, SHA1");
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = in.readLine()) != null;) {
            String said;
            try {
                said = new Paths(line).judge();
            } catch (GeneralSecurityException | RuntimeException e) {    // some of its parsers throw the latter
                said = "no " + e.getClass().getSimpleName() + ": " + e.getMessage() + (e.getCause() != null ? ": " + e.getCause().getMessage() : "");
            }
            System.out.println(said.replace('\n', ' '));
        }
    }
}
