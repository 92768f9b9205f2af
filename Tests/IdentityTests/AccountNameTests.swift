import Identity
import Testing

struct AccountNameTests {
    @Test(arguments: ["joe", "Joe", "joe@EXAMPLE.ORG", "osbs/build1.example.org", "UID=osbs,OU=users", "José", "CI build"])
    func `the names of people, services and certificates are account names`(text: String) throws {
        #expect(try AccountName(text).text == text)
    }

    @Test(arguments: [
        ("", AccountName.Problem.empty), (String(repeating: "a", count: 257), .long), ("unknown", .reserved), ("joe\n", .character),
        (" joe", .character), ("joe ", .character), ("jo\u{202E}e", .character), ("jo\u{200B}e", .character), ("Jose\u{301}", .character),
        ("jo\u{A0}e", .character), ("\u{115F}joe", .character),
    ])
    func `a name that others could mistake is refused`(text: String, problem: AccountName.Problem) {
        #expect(throws: problem) { try AccountName(text) }
    }

    @Test func `names that differ in case are two accounts`() throws {
        #expect(try AccountName("Joe") != AccountName("joe"))
    }
}

struct SecretTests {
    @Test func `a secret is not shown by any way of printing`() {
        let secret = Secret("odcs_0123456789")
        let credentials = Credentials(authorization: .bearer(secret))
        var dumped = ""
        dump(credentials, to: &dumped)
        for text in ["\(secret)", String(reflecting: secret), "\(credentials)", String(reflecting: credentials), dumped] {
            #expect(!text.contains("0123456789"))
        }
    }
}
