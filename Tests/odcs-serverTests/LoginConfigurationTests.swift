import Directory
import Kerberos
import ServiceConfiguration
import SystemPackage
import Testing

@testable import odcs_server

/// The keys below `auth.kerberos` and `auth.directory`.
@Suite struct LoginConfigurationTests {
    private func parse(_ text: String) throws -> ServerConfiguration {
        try ServerConfiguration(text, file: "odcs.yaml", directory: "/etc/odcs")
    }

    @Test("nothing is configured by default")
    func none() throws {
        #expect(try parse("").kerberos == nil)
        #expect(try parse("").directory == nil)
    }

    @Test("Kerberos has a keytab, realms and a realm that accounts do not show")
    func kerberos() throws {
        let text = """
            auth:
              kerberos:
                keytab: http.keytab
                realms: [EXAMPLE.ORG, PARTNER.ORG]
                strip_realm: EXAMPLE.ORG
            """
        #expect(
            try parse(text).kerberos
                == .init(keytab: "/etc/odcs/http.keytab", realms: .init(allowed: ["EXAMPLE.ORG", "PARTNER.ORG"], stripped: "EXAMPLE.ORG")))
    }

    @Test("the directory has an address, a login, and a filter for each base")
    func directory() throws {
        let text = """
            auth:
              directory:
                url: ldaps://ldap.example.org
                bind_dn: cn=odcs,dc=example,dc=org
                bind_password_file: ldap.secret
                bases: ["ou=groups,dc=example,dc=org", "ou=teams,dc=example,dc=org"]
                filters: ["memberUid={}", "(&(objectClass=team)(uid={}))"]
                mechanisms: [kerberos, openid]
            """
        #expect(
            try parse(text).directory
                == .init(
                    address: DirectoryAddress("ldaps://ldap.example.org"), startTLS: false, ca: nil,
                    login: .init(name: "cn=odcs,dc=example,dc=org", passwordFile: "/etc/odcs/ldap.secret"),
                    searches: [
                        GroupSearch(base: "ou=groups,dc=example,dc=org", filter: "memberUid={}"),
                        GroupSearch(base: "ou=teams,dc=example,dc=org", filter: "(&(objectClass=team)(uid={}))"),
                    ], cacheSeconds: 300, mechanisms: ["kerberos", "openid"]))
    }

    @Test(
        "a mistake is named with its key",
        arguments: [
            (
                "auth: {kerberos: {keytab: /k}}",
                "odcs.yaml: auth.kerberos.realms: needs at least one realm, for example EXAMPLE.ORG; a KDC can trust realms that you do not know"
            ),
            (
                "auth: {kerberos: {keytab: /k, realms: [A.ORG, B.ORG], strip_realm: a.org}}",
                "odcs.yaml:1: auth.kerberos.strip_realm: must be one of auth.kerberos.realms: A.ORG, B.ORG"
            ),
            (
                "auth: {directory: {url: ldap.example.org}}",
                "odcs.yaml:1: auth.directory.url: must begin with ldaps://, ldap:// or ldapi://"
            ),
            (
                "auth: {directory: {url: ldaps://a, start_tls: true}}",
                "odcs.yaml:1: auth.directory.start_tls: is for ldap:// addresses; ldaps://a is encrypted from the beginning"
            ),
            (
                "auth: {directory: {url: ldaps://a, bases: [a, b], filters: ['x={}']}}",
                "odcs.yaml:1: auth.directory.filters: must have one filter for each of auth.directory.bases, and at least one"
            ),
            (
                "auth: {directory: {url: ldaps://a, bases: [a], filters: [cn=*]}}",
                "odcs.yaml:1: auth.directory.filters: has the filter cn=* without {}, the place of the person's name; everybody would be in all groups"
            ),
            (
                "auth: {directory: {url: ldaps://a, bases: [a], filters: ['x={}'], bind_dn: cn=odcs}}",
                "odcs.yaml:1: auth.directory.bind_dn: needs auth.directory.bind_dn and auth.directory.bind_password_file together"
            ),
            (
                "auth: {directory: {url: ldap://a, bases: [a], filters: ['x={}'], bind_dn: cn=odcs, bind_password_file: /p}}",
                "odcs.yaml:1: auth.directory.url: would show the password of auth.directory.bind_dn to the network; use ldaps://, or set auth.directory.start_tls"
            ),
            (
                "auth: {directory: {url: ldaps://a, bases: [a], filters: ['x={}'], mechanisms: [workloads]}}",
                "odcs.yaml:1: auth.directory.mechanisms: must be a list of kerberos, openid, certificates, proxy, tokens, not workloads"
            ),
        ])
    func mistakes(text: String, expected: String) throws {
        let error = #expect(throws: ConfigurationError.self) { try parse(text) }
        #expect(error?.description == expected)
    }

    @Test("a directory that others could change is a finding, and a keytab that is not there")
    func findings() throws {
        let open = try parse("auth: {directory: {url: ldap://ldap.example.org, bases: [a], filters: ['x={}']}}")
        #expect(
            open.findings == [
                "auth.directory.url is ldap://ldap.example.org, which is not encrypted: others in the network could change the groups of people. "
                    + "Use ldaps://, or set auth.directory.start_tls."
            ])
        for address in ["ldap://127.0.0.1:389", "ldapi://%2Frun%2Fldapi", "ldaps://ldap.example.org"] {
            #expect(try parse("auth: {directory: {url: '\(address)', bases: [a], filters: ['x={}']}}").findings.isEmpty)
        }
        let findings = HostCheck(configuration: try parse("auth: {kerberos: {keytab: /nowhere/keytab, realms: [A.ORG]}}")).logins()
        #expect(findings.map(\.problem) == ["auth.kerberos.keytab: /nowhere/keytab cannot be read: No such file or directory."])
    }
}
