import Directory
import Kerberos
import ServiceConfiguration

/// The keys below `auth.kerberos` and `auth.directory`.
extension ConfigurationReader {
    /// The mechanisms that recognize people, and can get their groups from the directory.
    private static let mechanismsOfPeople = ["kerberos", "openid", "certificates", "proxy", "tokens"]

    /// Returns the settings of logins with Kerberos, or `nil` without `auth.kerberos.keytab`.
    mutating func kerberosLogins() throws -> ServerConfiguration.KerberosLogins? {
        let keytab = try optionalPath("auth.kerberos.keytab")
        let allowed = try strings("auth.kerberos.realms", default: [])
        let stripped = try optionalString("auth.kerberos.strip_realm")
        guard let keytab else { return nil }
        guard !allowed.isEmpty else {
            throw mistake(
                "auth.kerberos.realms", "needs at least one realm, for example EXAMPLE.ORG; a KDC can trust realms that you do not know")
        }
        if let stripped, !allowed.contains(stripped) {
            throw mistake("auth.kerberos.strip_realm", "must be one of auth.kerberos.realms: \(allowed.joined(separator: ", "))")
        }
        return ServerConfiguration.KerberosLogins(keytab: keytab, realms: KerberosRealms(allowed: allowed, stripped: stripped))
    }

    /// Returns the settings of the directory, or `nil` without `auth.directory.url`.
    mutating func ldapGroups() throws -> ServerConfiguration.LDAPGroups? {
        let url = try optionalString("auth.directory.url")
        let startTLS = try bool("auth.directory.start_tls", default: false)
        let ca = try optionalPath("auth.directory.ca")
        let name = try optionalString("auth.directory.bind_dn")
        let passwordFile = try optionalPath("auth.directory.bind_password_file")
        let bases = try strings("auth.directory.bases", default: [])
        let filters = try strings("auth.directory.filters", default: [])
        let cacheSeconds = try int("auth.directory.cache_seconds", default: 300, in: 1...86_400)
        let mechanisms = try strings("auth.directory.mechanisms", default: ["kerberos"])
        guard let url else { return nil }
        try checkReadable(ca, "auth.directory.ca")
        let address = try directorySetting("auth.directory.url") { () throws(DirectorySettingProblem) in try DirectoryAddress(url) }
        if startTLS, address.isEncrypted {
            throw mistake("auth.directory.start_tls", "is for ldap:// addresses; \(address) is encrypted from the beginning")
        }
        guard !bases.isEmpty, bases.count == filters.count else {
            throw mistake("auth.directory.filters", "must have one filter for each of auth.directory.bases, and at least one")
        }
        let searches = try zip(bases, filters).map { base, filter in
            try directorySetting("auth.directory.filters") { () throws(DirectorySettingProblem) in
                try GroupSearch(base: base, filter: filter)
            }
        }
        guard (name == nil) == (passwordFile == nil) else {
            throw mistake(
                name == nil ? "auth.directory.bind_password_file" : "auth.directory.bind_dn",
                "needs auth.directory.bind_dn and auth.directory.bind_password_file together")
        }
        if let other = mechanisms.first(where: { !Self.mechanismsOfPeople.contains($0) }) {
            throw mistake(
                "auth.directory.mechanisms", "must be a list of \(Self.mechanismsOfPeople.joined(separator: ", ")), not \(other)")
        }
        let groups = ServerConfiguration.LDAPGroups(
            address: address, startTLS: startTLS, ca: ca,
            login: name.flatMap { name in passwordFile.map { .init(name: name, passwordFile: $0) } }, searches: searches,
            cacheSeconds: cacheSeconds, mechanisms: mechanisms)
        if groups.login != nil, groups.isInTheOpen {
            throw mistake(
                "auth.directory.url",
                "would show the password of auth.directory.bind_dn to the network; use ldaps://, or set auth.directory.start_tls")
        }
        return groups
    }

    private func directorySetting<Value>(_ key: String, _ body: () throws(DirectorySettingProblem) -> Value) throws -> Value {
        do throws(DirectorySettingProblem) { return try body() } catch { throw mistake(key, error.description) }
    }
}
