import Koji
import NIOSSL
import ScriptedHub
import SystemPackage
import Testing

@Suite struct ProfileTests {
    private static let home = FilePath("/home/someone")

    private func profile(_ text: String, _ name: String = "koji") throws(KojiError) -> KojiProfile {
        try KojiProfileFile(parsing: text, named: "koji.conf").profile(name, home: Self.home)
    }

    @Test("a profile as Koji installs it")
    func aProfileAsKojiInstallsIt() throws {
        let profile = try profile(
            """
            # Comment
            [koji]

            ;url of XMLRPC server
            server = https://koji.example.org/kojihub
            weburl = https://koji.example.org/koji
            topurl: https://kojipkgs.example.org/
              ; a comment too
            topdir = /mnt/koji
            authtype = ssl
            cert = ~/.koji/client.crt
            SERVERCA = ~/.koji/serverca.crt
            no_ssl_verify = no
            principal =

            [other]
            server = http://localhost:8080/kojihub
            """)
        let certificate = FilePath("/home/someone/.koji/client.crt")
        #expect(
            profile
                == (try KojiProfile(
                    hub: "https://koji.example.org/kojihub", topurl: "https://kojipkgs.example.org", topdir: "/mnt/koji",
                    serverCA: "/home/someone/.koji/serverca.crt",
                    authentication: .clientCertificate(.init(certificate: certificate, key: certificate)))))
    }

    @Test("kerberos and passwords are for sessions and count as nothing")
    func kerberosAndPasswordsAreForSessions() throws {
        for kind in ["kerberos", "gssapi", "password", "noauth"] {
            let profile = try profile("[koji]\nserver = http://h/kojihub\nauthtype = \(kind)\ncert = /c\nca = /ca\nno_ssl_verify = yes\n")
            #expect(profile.authentication == .none)
            #expect(profile.serverCA == "/ca")
            #expect(!profile.verifiesServer)
        }
        #expect(try profile("[koji]\nserver = http://h/kojihub\ncert = /c\n").authentication != .none)
    }

    @Test(
        "a file that cannot be used says where and why",
        arguments: [
            ("server = x\n", "koji.conf, line 1: there is no [section] before the first key."),
            ("[koji\n", "koji.conf, line 1: the name of a section has no ] after it."),
            ("[koji]\n[koji]\n", "koji.conf, line 2: there is a section [koji] already."),
            ("[koji]\nserver\n", "koji.conf, line 2: \"server\" is neither a [section] nor a key = value."),
            ("[koji]\nserver = a\n\nserver = b\n", "koji.conf, line 4: server is set already in line 2."),
            ("[fedora]\nserver = a\n[epel]\n", "koji.conf has no section [koji]; it has [epel], [fedora], of which one may be meant."),
            ("", "koji.conf has no section [koji]."),
            ("[koji]\n", "koji.conf does not say in [koji], as server = …, what the hub's address is."),
            (
                "[koji]\nserver = koji.example.org\n",
                "koji.conf, [koji], line 2: The address of the hub, \"koji.example.org\", is not one that begins with http:// or https://."
            ),
            (
                "[koji]\nserver = https://me:secret@koji.example.org/kojihub\n",
                "koji.conf, [koji], line 2: The address of the hub has a user name in it; a hub is shown a client certificate or nothing."
            ),
            ("[koji]\nserver = http://h\nno_ssl_verify = maybe\n", "koji.conf, line 3: no_ssl_verify is \"maybe\" instead of yes or no."),
            (
                "[koji]\nserver = http://h\nauthtype = ssl\n",
                "koji.conf, line 3: authtype = ssl needs a cert = … with a certificate and its key."
            ),
        ])
    func aFileThatCannotBeUsed(text: String, message: String) throws {
        let error = try #require(throws: KojiError.self) { try profile(text) }
        #expect(error.message == message)
        #expect(error.code == .settings)
    }
}

@Suite struct TLSTests {
    private static let certificates = FilePath(#filePath).removingLastComponent().appending("Certificates")

    private func file(_ name: String) -> FilePath { Self.certificates.appending(name) }

    private func server(asksForCertificate: Bool = false) throws -> TLSConfiguration {
        let path = file("hub.pem").string
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(path).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: path, format: .pem)))
        if asksForCertificate {
            configuration.certificateVerification = .noHostnameVerification
            configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(file("ca.pem").string))
        }
        return configuration
    }

    @Test("a hub whose authority is named is trusted, and no other")
    func aHubWhoseAuthorityIsNamed() async throws {
        try await ScriptedHub.with(tls: try server()) { scripted in
            let trusting = try KojiProfile(hub: scripted.address, serverCA: file("ca.pem"))
            #expect(try await scripted.asked(profile: trusting) { try await $0.getLastEvent() }.id == 100)
            for authority in [file("other-ca.pem"), nil] {
                let profile = try KojiProfile(hub: scripted.address, serverCA: authority)
                let error = try await #require(throws: KojiError.self) {
                    try await scripted.asked(profile: profile) { try await $0.getLastEvent() }
                }
                #expect(error.code == .refused)
                #expect(error.message.contains("do not trust each other's TLS certificates"))
            }
            let careless = try KojiProfile(hub: scripted.address, verifiesServer: false)
            #expect(try await scripted.asked(profile: careless) { try await $0.getLastEvent() }.id == 100)
        }
    }

    @Test("a hub that asks for a client certificate is shown it")
    func aHubThatAsksForA() async throws {
        try await ScriptedHub.with(tls: try server(asksForCertificate: true)) { scripted in
            let certificate = KojiProfile.ClientCertificate(certificate: file("client.pem"), key: file("client.pem"))
            let known = try KojiProfile(hub: scripted.address, serverCA: file("ca.pem"), authentication: .clientCertificate(certificate))
            #expect(try await scripted.asked(profile: known) { try await $0.getLastEvent() }.id == 100)
            let unknown = try KojiProfile(hub: scripted.address, serverCA: file("ca.pem"))
            await #expect(throws: KojiError.self) { try await scripted.asked(profile: unknown) { try await $0.getLastEvent() } }
            #expect(scripted.calls.count == 1)
        }
    }

    @Test("a certificate that cannot be read is told by its setting", arguments: ["no-such-file.pem", "README.md"])
    func aCertificateThatCannotBeRead(name: String) async throws {
        try await ScriptedHub.with { scripted in
            let authority = try KojiProfile(hub: scripted.address, serverCA: file(name))
            let error = try await #require(throws: KojiError.self) { try await scripted.asked(profile: authority) { _ in } }
            #expect(error.message == "The file that the setting serverca names cannot be read as PEM certificates.")
            let certificate = KojiProfile.ClientCertificate(certificate: file("ca.pem"), key: file(name))
            let client = try KojiProfile(hub: scripted.address, authentication: .clientCertificate(certificate))
            let other = try await #require(throws: KojiError.self) { try await scripted.asked(profile: client) { _ in } }
            #expect(other.message == "The file that the setting cert names cannot be read as a PEM private key without a passphrase.")
        }
    }
}
