import ComposeModel
import Foundation
import NIOSSL
import SystemPackage
import Testing

@testable import ContentSources

@Suite("Pulp by TLS with client certificates")
struct PulpTLSTests {
    /// An authority, and what it has signed: a server's certificate for 127.0.0.1 and a client's; with each its key.
    private struct Certificates {
        let directory: FilePath

        static func with(_ body: (Certificates) async throws -> Void) async throws {
            try await Workbench.with { bench in
                let made = Certificates(directory: bench.directory)
                let request = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
                for authority in ["ca", "stranger"] {
                    try await execute(
                        "openssl",
                        request + [
                            "-subj", "/CN=\(authority)", "-keyout", made.key(authority).string, "-out", made.certificate(authority).string,
                        ])
                }
                for name in ["server", "client"] {
                    try await execute(
                        "openssl",
                        request + [
                            "-subj", "/CN=\(name)", "-addext", "subjectAltName=IP:127.0.0.1", "-addext",
                            "basicConstraints=critical,CA:FALSE",
                            "-CA", made.certificate("ca").string, "-CAkey", made.key("ca").string, "-keyout", made.key(name).string, "-out",
                            made.certificate(name).string,
                        ])
                }
                try await body(made)
            }
        }

        func certificate(_ name: String) -> FilePath { directory.appending("\(name).pem") }
        func key(_ name: String) -> FilePath { directory.appending("\(name).key") }

        /// For a server that lets in only clients whose certificate the authority has signed.
        func serverContext() throws -> NIOSSLContext {
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: try NIOSSLCertificate.fromPEMFile(certificate("server").string).map { .certificate($0) },
                privateKey: .privateKey(try NIOSSLPrivateKey(file: key("server").string, format: .pem)))
            configuration.certificateVerification = .noHostnameVerification
            configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(certificate("ca").string))
            return try NIOSSLContext(configuration: configuration)
        }
    }

    @Test("the client certificate opens Pulp, without it or with a stranger's it stays closed, and a stranger's Pulp is not trusted")
    func clientCertificate() async throws {
        try await Certificates.with { certificates in
            let replay = Pulp2Replay(repositories: [.init("rpms-x86_64", set: "rpms")])
            try await PulpHTTPServer.with(tls: try certificates.serverContext(), replay.answer) { server in
                let ours = PulpServer.Authentication.certificate(certificates.certificate("client"), key: certificates.key("client"))
                let findings = try await PulpBench.ask(
                    server.address, for: ["rpms"], version: .pulp2, authentication: ours, caFile: certificates.certificate("ca"))
                #expect(findings.found.map(\.url) == ["\(server.address)/content/rpms/x86_64/os"])

                let theirs = PulpServer.Authentication.certificate(certificates.certificate("stranger"), key: certificates.key("stranger"))
                for (authentication, ca) in [(.none, "ca"), (theirs, "ca"), (ours, "stranger")] {
                    let failure = try await PulpBench.failure(
                        server.address, for: ["rpms"], version: .pulp2, authentication: authentication, caFile: certificates.certificate(ca)
                    )
                    #expect(
                        failure?.message.hasPrefix("No TLS connection to Pulp at \(server.address) came about") == true,
                        "\(failure?.message ?? "")")
                    #expect(failure?.isTransient == false)
                    #expect(failure?.message.contains(certificates.directory.string) == false)
                }
                #expect(server.requests.count == 1)
            }
        }
    }

    @Test("files that are no certificates or keys are refused at the start, without their paths")
    func unreadable() async throws {
        try await Certificates.with { certificates in
            try certificates.directory.appending("text").write("nothing")
            let (good, bad) = (certificates.certificate("client"), certificates.directory.appending("text"))
            let none = certificates.directory.appending("none")
            for (certificate, key, ca, subject) in [
                (bad, certificates.key("client"), good, "The client certificate for Pulp"),
                (none, certificates.key("client"), good, "The client certificate for Pulp"),
                (good, bad, good, "The key of the client certificate for Pulp"),
                (good, none, good, "The key of the client certificate for Pulp"),
                (good, certificates.key("client"), bad, "The file of certificates that Pulp's is checked against"),
            ] {
                let server = try PulpServer(
                    url: "https://pulp/", version: .pulp2, authentication: .certificate(certificate, key: key), caFile: ca)
                let error = #expect(throws: PulpServer.ConfigurationError.self) { try server.tlsConfiguration() }
                #expect(error?.description.hasPrefix("\(subject) cannot be read") == true, "\(error?.description ?? "")")
                #expect(error?.description.contains(certificates.directory.string) == false)
            }
        }
    }
}
