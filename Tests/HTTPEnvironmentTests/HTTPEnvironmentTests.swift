import Testing

@testable import HTTPEnvironment

@Suite("What the environment says of ways")
struct HTTPEnvironmentTests {
    /// The way to `url`: `direct`, the proxy's origin, or `problem`.
    private func way(to url: String, _ variables: [String: String]) throws -> String {
        let target = try #require(OutboundTarget(url))
        switch HTTPEnvironment(variables).route(to: target.host, port: target.port, isSecure: target.isSecure) {
        case .direct: return "direct"
        case .proxy(let proxy, _): return proxy.origin
        case .problem: return "problem"
        }
    }

    @Test(
        "Proxies are read as curl reads them",
        arguments: [
            (["http_proxy": "http://p:3128"], "http://a.test/", "http://p:3128"),
            (["http_proxy": "http://p:3128"], "https://a.test/", "direct"),
            (["HTTP_PROXY": "http://p:3128"], "http://a.test/", "direct"),
            (["https_proxy": "p:3128"], "https://a.test/", "http://p:3128"),
            (["HTTPS_PROXY": "http://p"], "https://a.test/", "http://p:1080"),
            (["https_proxy": "http://low:1", "HTTPS_PROXY": "http://up:2"], "https://a.test/", "http://low:1"),
            (["ALL_PROXY": "socks5h://p:9050"], "http://a.test/", "socks5://p:9050"),
            (["http_proxy": "", "all_proxy": "http://p:1"], "http://a.test/", "http://p:1"),
            (["http_proxy": "http://[::1]:3128/"], "http://a.test/", "http://[::1]:3128"),
            (["http_proxy": "ftp://p:3128"], "http://a.test/", "problem"),
            (["http_proxy": "ftp://p:3128"], "http://127.0.0.1/", "direct"),
        ] as [([String: String], String, String)])
    func proxies(_ variables: [String: String], _ url: String, _ expected: String) throws {
        #expect(try way(to: url, variables) == expected)
    }

    @Test(
        "This host is never asked through a proxy", arguments: ["127.0.0.1:80", "127.3.2.1", "localhost:5005", "[::1]:80", "a.localhost"])
    func loopback(_ host: String) throws {
        #expect(try way(to: "http://\(host)/x", ["all_proxy": "http://p:1"]) == "direct")
    }

    @Test(
        "no_proxy lists hosts, domains, addresses and networks",
        arguments: [
            ("a.test", "http://a.test/", true), ("a.test", "http://b.a.test/", true), (".a.test", "http://a.test/", true),
            ("a.test", "http://ba.test/", false), ("x, A.test", "http://a.TEST/", true), ("a.test:80", "http://a.test/", true),
            ("a.test:81", "http://a.test/", false), ("*", "http://a.test/", true), ("10.0.0.0/8", "http://10.1.2.3/", true),
            ("10.0.0.0/8", "http://11.1.2.3/", false), ("10.1.2.3", "http://10.1.2.3:8/", true), ("fd00::/16", "http://[fd00::1]/", true),
            ("192.168.1.128/25", "http://192.168.1.127/", false), ("", "http://a.test/", false), ("10.0.0.0/99", "http://10.0.0.0/", true),
            ("10.0.0.0/0", "http://11.0.0.0/", true), ("10.0.0.0/-1", "http://11.0.0.0/", false),
            ("10.0.0.0/-1", "http://10.0.0.0/", false), ("10.0.0.0/abc", "http://10.0.0.0/", false),
            ("10.0.0.0/", "http://10.0.0.0/", false),
            ("10.0.0.0/-1, a.test", "http://a.test/", true),
        ])
    func direct(_ list: String, _ url: String, _ isDirect: Bool) throws {
        #expect(try way(to: url, ["http_proxy": "http://p:1", "no_proxy": list]) == (isDirect ? "direct" : "http://p:1"))
    }

    @Test(
        "What is wrong with an address is said without the password in it",
        arguments: [
            ("ftp://me:s3cret@p", "it begins with none of http://, socks5:// and socks5h://"),
            ("http://me:s3cret@p:0", "its port is not a number from 1 to 65535"),
            ("http://me:s3cret@", "it names no host"),
            ("socks5://me:s3cret@p", "user and password cannot be given to a SOCKS proxy here"),
        ])
    func mistakes(_ address: String, _ why: String) {
        let environment = HTTPEnvironment(["https_proxy": address])
        #expect(
            environment.problems.map(\.description) == [
                "the variable https_proxy is not the address of a proxy, as http://proxy.example.org:3128 is one: \(why)"
            ])
    }

    @Test("A setting takes the place of the environment's proxies")
    func setting() throws {
        let environment = try HTTPEnvironment(["http_proxy": "http://p:1"]).withProxy("http://q:2", of: "sources.proxy")
        for route in [environment.plain, environment.secure] {
            #expect(route == .proxy(try ProxyAddress("http://q:2", in: ""), place: "sources.proxy"))
        }
        #expect(throws: OutboundProblem.self) { try environment.withProxy("gopher://q", of: "sources.proxy") }
    }

    @Test("A file of certificates that is none is named by its variable")
    func certificates() {
        let problems = HTTPEnvironment(["SSL_CERT_FILE": "/nonexistent"]).problems.map(\.description)
        #expect(problems == ["the variable SSL_CERT_FILE names a file that does not exist, or that has no certificate in PEM form"])
        #expect(HTTPEnvironment(["SSL_CERT_FILE": TestProxy.certificate, "SSL_CERT_DIR": "/tmp"]).problems.isEmpty)
    }
}
