import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.TrustManagerFactory;

/* JSSE as a client and as a server of 127.0.0.1, for tries against it.
 *   java Peer.java client|server PORT option=value...
 *   java Peer.java many      such lines on standard input, each with a name before it: started at once, all in this one virtual machine;
 *                            what it says carries the name; "NAME stop" ends a server
 * store=P12 (password "xxxxxx") an identity; trust=P12; versions=, suites=, alpn= lists; auth=need|want; host=; connections=N; update=yes; bulk=N;
 * limit of groups and stapling are properties of the virtual machine.  The server answers what it was asked, as often. */
public final class Peer {
    private final Map<String, String> options = new HashMap<>();
    private final String name;
    private SSLServerSocket listener;

    private Peer(String name) {
        this.name = name;
    }

    private void tell(String what) {
        System.out.println(name + what);
    }

    private static KeyStore store(String path) throws Exception {
        KeyStore s = KeyStore.getInstance("PKCS12");
        try (FileInputStream in = new FileInputStream(path)) {
            s.load(in, "xxxxxx".toCharArray());
        }
        return s;
    }

    private SSLContext context() throws Exception {
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        keys.init(options.containsKey("store") ? store(options.get("store")) : null, "xxxxxx".toCharArray());
        trust.init(store(options.get("trust")));
        SSLContext c = SSLContext.getInstance("TLS");
        c.init(options.containsKey("store") ? keys.getKeyManagers() : null, trust.getTrustManagers(), null);
        return c;
    }

    private SSLParameters parameters(SSLParameters p) {
        if (options.containsKey("versions"))
            p.setProtocols(options.get("versions").split(","));
        if (options.containsKey("suites"))
            p.setCipherSuites(options.get("suites").split(","));
        if (options.containsKey("alpn"))
            p.setApplicationProtocols(options.get("alpn").split(","));
        if ("need".equals(options.get("auth")))
            p.setNeedClientAuth(true);
        if ("want".equals(options.get("auth")))
            p.setWantClientAuth(true);
        return p;
    }

    private int much() {
        return Integer.parseInt(options.getOrDefault("bulk", "0"));
    }

    private void client(SSLContext context, int port) throws Exception {
        for (int left = Integer.parseInt(options.getOrDefault("connections", "1")); left > 0; left--) {
            /* over a socket of its own but by name, so that it is sent and checked, and sessions are found again by it */
            SSLSocket s = (SSLSocket) context.getSocketFactory().createSocket(new Socket("127.0.0.1", port), options.getOrDefault("host", "localhost"), port, true);
            SSLParameters p = parameters(s.getSSLParameters());
            p.setEndpointIdentificationAlgorithm("HTTPS");
            s.setSSLParameters(p);
            s.startHandshake();
            tell("ready " + s.getSession().getProtocol() + " " + s.getSession().getCipherSuite());
            if (s.getSession() instanceof ExtendedSSLSession e)
                tell("stapled " + e.getStatusResponses().size());
            OutputStream out = s.getOutputStream();
            out.write("GET / HTTP/1.0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            out.write(new byte[much()]);
            out.flush();
            byte[] got = s.getInputStream().readNBytes(18 + much());
            tell("data " + got.length);
            if (options.containsKey("update")) {
                s.startHandshake(); /* of TLS 1.3: a KeyUpdate that wants one back */
                out.write("again".getBytes(StandardCharsets.US_ASCII));
                tell("data " + s.getInputStream().readNBytes(5).length);
            }
            s.close();
        }
    }

    private void server(SSLContext context, int port) throws Exception {
        InetAddress here = InetAddress.getByName("127.0.0.1");
        listener = (SSLServerSocket) context.getServerSocketFactory().createServerSocket(port, 5, here);
        listener.setSSLParameters(parameters(listener.getSSLParameters()));
        tell("listening");
        for (;;) {
            SSLSocket s = (SSLSocket) listener.accept();
            try {
                echo(s);
            } catch (Exception e) {
                tell("failed " + e);
            }
            s.close();
        }
    }

    private void echo(SSLSocket s) throws Exception {
        s.startHandshake();
        tell("ready " + s.getSession().getProtocol() + " " + s.getSession().getCipherSuite());
        InputStream in = s.getInputStream();
        byte[] room = new byte[20000];
        if (options.containsKey("update"))
            s.startHandshake();
        for (int n; (n = in.read(room)) > 0;)
            s.getOutputStream().write(room, 0, n);
        tell("over");
    }

    private int run(String[] a) {
        for (int i = 2; i < a.length; i++)
            options.put(a[i].split("=", 2)[0], a[i].split("=", 2)[1]);
        try {
            if (a[0].equals("server"))
                server(context(), Integer.parseInt(a[1]));
            else
                client(context(), Integer.parseInt(a[1]));
        } catch (Exception e) {
            tell("failed " + e);
            return 1;
        }
        return 0;
    }

    private static void many() throws Exception {
        Map<String, Peer> all = new HashMap<>();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = in.readLine()) != null;) {
            String[] words = line.split(" ");
            if (words[1].equals("stop")) {
                all.get(words[0]).listener.close();
                continue;
            }
            Peer p = new Peer(words[0] + " ");
            all.put(words[0], p);
            new Thread(() -> p.tell("exit " + p.run(Arrays.copyOfRange(words, 1, words.length)))).start();
        }
    }

    public static void main(String[] a) throws Exception {
        if (a[0].equals("many"))
            many();
        else
            System.exit(new Peer("").run(a));
    }
}
