import Testing

@testable import Directory

struct DirectorySettingsTests {
    @Test(arguments: [
        ("ldaps://ldap.example.org", "ldaps://ldap.example.org", false), ("ldap://127.0.0.1:389/", "ldap://127.0.0.1:389", true),
        ("ldap://[::1]:389", "ldap://[::1]:389", true), ("ldapi://%2Frun%2Fldapi", "ldapi://%2Frun%2Fldapi", true),
        ("ldap://localhost", "ldap://localhost", true), ("ldap://127.example.org", "ldap://127.example.org", false),
    ])
    func `an address names one server`(text: String, address: String, isLocal: Bool) throws {
        let parsed = try DirectoryAddress(text)
        #expect(parsed.description == address)
        #expect(parsed.isLocal == isLocal)
    }

    @Test(arguments: [
        "ldap.example.org", "http://ldap.example.org", "ldap://", "ldap://a.example.org ldap://b.example.org", "ldap://a,b",
        "ldap://joe@ldap.example.org", "ldap://ldap.example.org/dc=example?cn", "LDAP://ldap.example.org",
    ])
    func `another text is not an address`(text: String) {
        #expect(throws: DirectorySettingProblem.self) { try DirectoryAddress(text) }
    }

    @Test func `a filter has a place for the name`() throws {
        #expect(try GroupSearch(base: "", filter: "memberUid={}").filter(for: "joe") == "memberUid=joe")
        #expect(
            throws: DirectorySettingProblem(
                description: "has the filter cn=* without {}, the place of the person's name; everybody would be in all groups")
        ) { try GroupSearch(base: "", filter: "cn=*") }
        #expect(throws: DirectorySettingProblem(description: "has the filter (memberUid={}, which is not a filter of LDAP (RFC 4515)")) {
            try GroupSearch(base: "", filter: "(memberUid={}")
        }
    }

    @Test(arguments: [
        ("*", #"\2a"#), ("a(b)c", #"a\28b\29c"#), (#"a\b"#, #"a\5cb"#), ("é", #"\c3\a9"#), ("a\0b\n", #"a\00b\0a"#), ("{}", "{}"),
    ])
    func `a name is escaped in a filter`(name: String, escaped: String) throws {
        #expect(try GroupSearch(base: "", filter: "(uid={})").filter(for: name) == "(uid=\(escaped))")
    }
}
