import ServerTLS
import ServiceConfiguration
import SystemPackage
import Testing

@testable import odcs_server

/// TLS and client certificates in a configuration file.
@Suite struct TLSConfigurationTests {
    private func configuration(_ text: String) throws -> ServerConfiguration {
        try ServerConfiguration(text, file: "odcs.yaml", directory: "/etc/odcs")
    }

    @Test("the files are relative to the configuration")
    func read() throws {
        #expect(try configuration("").tls == nil)
        let tls = try configuration("frontend: {tls: {certificate: a.pem, key: /b.key}}\nauth: {certificates: {ca: c.pem, user: cn}}").tls
        #expect(tls?.files.certificate == "/etc/odcs/a.pem")
        #expect(tls?.files.key == "/b.key")
        #expect(tls?.files.clientAuthorities == "/etc/odcs/c.pem")
        #expect(tls?.user == .cn)
    }

    @Test(
        "settings that lack their other half are refused",
        arguments: [
            ("frontend: {tls: {certificate: a.pem}}", "frontend.tls.certificate: needs certificate and key together"),
            ("frontend: {tls: {key: a.pem}}", "frontend.tls.key: needs certificate and key together"),
            ("auth: {certificates: {ca: c.pem}}", "auth.certificates.ca: needs frontend.tls"),
            (
                "frontend: {tls: {certificate: a, key: b}, port: 1}\nauth: {certificates: {revoked_serials_file: r}}",
                "auth.certificates.revoked_serials_file: needs auth.certificates.ca"
            ),
        ])
    func halves(_ text: String, _ problem: String) throws {
        let error = #expect(throws: ConfigurationError.self) { try configuration(text) }
        #expect(error?.description.contains(problem) == true, "\(error?.description ?? "")")
    }
}
