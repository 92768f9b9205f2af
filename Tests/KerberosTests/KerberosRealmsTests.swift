import Identity
import Testing

@testable import Kerberos

struct KerberosRealmsTests {
    private let realms = KerberosRealms(allowed: ["EXAMPLE.ORG", "PARTNER.ORG"], stripped: "EXAMPLE.ORG")

    private func account(_ text: String) throws -> String {
        let principal = try #require(KerberosPrincipal(text))
        return try realms.account(of: principal).text
    }

    @Test(arguments: [
        ("joe@EXAMPLE.ORG", "joe"), ("joe@PARTNER.ORG", "joe@PARTNER.ORG"), ("joe/admin@EXAMPLE.ORG", "joe/admin"),
        ("osbs/build1.example.org@EXAMPLE.ORG", "osbs/build1.example.org"), ("Joe@EXAMPLE.ORG", "Joe"),
    ])
    func `only the principals of the stripped realm have names without a realm`(principal: String, name: String) throws {
        #expect(try account(principal) == name)
    }

    @Test(arguments: ["joe@example.org", "joe@OTHER.ORG", "joe@EXAMPLE.ORG.", "WELLKNOWN/ANONYMOUS@WELLKNOWN:ANONYMOUS"])
    func `a realm that differs in any byte is refused`(principal: String) {
        #expect(throws: CredentialFailure.forbidden("The realm of your Kerberos ticket is not one of those that this service accepts.")) {
            try account(principal)
        }
    }

    @Test func `a name that others could mistake is refused`() {
        #expect(
            throws: CredentialFailure.forbidden(
                "The name of your Kerberos principal is reserved for requests without credentials. It cannot be an account of this service."
            )
        ) { try account("unknown@EXAMPLE.ORG") }
        #expect(
            throws: CredentialFailure.forbidden(
                "The name of your Kerberos principal has a space at an end, an invisible character, or a combining mark. "
                    + "It cannot be an account of this service.")
        ) { try account("jo\u{202E}e@EXAMPLE.ORG") }
    }

    @Test(arguments: ["joe", "@EXAMPLE.ORG", "joe@", "joe@a@EXAMPLE.ORG", #"joe\@EXAMPLE.ORG@OTHER.ORG"#, #"jo\ne@EXAMPLE.ORG"#, ""])
    func `a text with quotes, or without exactly one name and realm, is no principal`(text: String) {
        #expect(KerberosPrincipal(text) == nil)
    }
}
