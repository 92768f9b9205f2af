import Identity
import SwiftASN1
import Testing
import X509

@testable import ServerTLS

@Suite("Names in client certificates")
struct CertificateTests {
    private static let uid: ASN1ObjectIdentifier = [0, 9, 2342, 19_200_300, 100, 1, 1]

    private func certificate(_ parts: [RelativeDistinguishedName.Attribute], names: [GeneralName] = []) throws -> ClientCertificate {
        try ClientCertificate(der: try TestAuthority().issue(try DistinguishedName(parts), names: names).der)
    }

    @Test("The subject is written as Apache writes it")
    func subject() throws {
        let certificate = try certificate([
            .init(type: .RDNAttributeType.domainComponent, value: .init(utf8String: "com")),
            .init(type: .RDNAttributeType.domainComponent, value: .init(utf8String: "redhat")),
            .init(type: .RDNAttributeType.organizationalUnitName, value: .init(utf8String: "users")),
            .init(type: Self.uid, value: .init(utf8String: "osbs")),
        ])
        #expect(certificate.subject == "UID=osbs,OU=users,DC=redhat,DC=com")
        #expect(certificate.serial == "abc")
        #expect(certificate.commonName == nil)
    }

    @Test(
        "A value cannot look like two parts of a name",
        arguments: [
            ("joe,O=admins", #"CN=joe\,O=admins"#), ("joe+O=admins", #"CN=joe\+O=admins"#), (#"a"b\c<d>e;f"#, #"CN=a\"b\\c\<d\>e\;f"#),
            (" joe ", #"CN=\ joe\ "#), ("#joe", "CN=\\#joe"), ("jo#e", "CN=jo#e"), ("joe\n", #"CN=joe\0A"#),
            ("joe\0admin", #"CN=joe\00admin"#),
            ("Jörg", "CN=Jörg"), ("", "CN="),
        ])
    func escapes(_ value: String, _ subject: String) throws {
        #expect(try certificate([.init(type: .RDNAttributeType.commonName, value: .init(utf8String: value))]).subject == subject)
    }

    @Test("An unknown type is written by its number")
    func unknownType() throws {
        let certificate = try certificate([.init(type: [1, 2, 3, 4], value: .init(utf8String: "x"))])
        #expect(certificate.subject == "1.2.3.4=#0c0178")
    }

    @Test("A common name that is there twice is none")
    func twoCommonNames() throws {
        let one = RelativeDistinguishedName.Attribute(type: .RDNAttributeType.commonName, value: .init(utf8String: "joe"))
        #expect(try certificate([one]).commonName == "joe")
        #expect(try certificate([one, one]).commonName == nil)
    }

    private func sender(
        _ certificate: ClientCertificate, _ user: CertificateProvider.Name, revoked: Set<String> = []
    ) async throws(CredentialFailure) -> String? {
        try await CertificateProvider(user: user) { revoked.contains($0) }.identity(Credentials(certificate: certificate))?.account.text
    }

    @Test("The account is the subject, the common name, the mail address or the URI")
    func users() async throws {
        let certificate = ClientCertificate(
            subject: "CN=joe,O=Example", commonName: "joe", emails: ["joe@example.org"], uris: ["spiffe://example.org/joe"], serial: "abc")
        #expect(try await sender(certificate, .dn) == "CN=joe,O=Example")
        #expect(try await sender(certificate, .cn) == "joe")
        #expect(try await sender(certificate, .email) == "joe@example.org")
        #expect(try await sender(certificate, .uri) == "spiffe://example.org/joe")
        let identity = try await CertificateProvider(user: .dn).identity(Credentials())
        #expect(identity == nil)
    }

    @Test("A name that is missing, doubtful or reserved, and a revoked certificate, are refused")
    func refused() async throws {
        let bare = ClientCertificate(subject: "unknown", emails: ["a@b", "c@d"], serial: "abc")
        for user in CertificateProvider.Name.allCases {
            await #expect(throws: CredentialFailure.self) { try await sender(bare, user) }
        }
        let good = ClientCertificate(subject: "CN=joe", serial: "abc")
        await #expect(throws: CredentialFailure.wrong("The client certificate was revoked.")) {
            try await sender(good, .dn, revoked: ["abc"])
        }
    }

    @Test("Alternative names of other kinds do not count")
    func alternativeNames() throws {
        let certificate = try certificate(
            [.init(type: .RDNAttributeType.commonName, value: .init(utf8String: "joe"))],
            names: [.dnsName("joe@example.org"), .rfc822Name("joe@example.org"), .uniformResourceIdentifier("urn:joe")])
        #expect(certificate.emails == ["joe@example.org"])
        #expect(certificate.uris == ["urn:joe"])
    }

    @Test("A name that ends early for programs in C is no account", arguments: [CertificateProvider.Name.cn, .email, .uri])
    func zero(_ user: CertificateProvider.Name) async throws {
        let certificate = ClientCertificate(
            subject: "CN=joe", commonName: "joe\0.evil.org", emails: ["joe@example.org\0.evil.org"], uris: ["urn:joe\0"], serial: "abc")
        await #expect(throws: CredentialFailure.self) { try await sender(certificate, user) }
    }
}
