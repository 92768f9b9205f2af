public import SystemPackage

/// A configuration file of Koji's own client, such as `/etc/koji.conf`, in the format that Python's
/// configparser reads.
///
/// Only keys about the addresses of the hub and its files, and about authentication, matter: `server`,
/// `topurl`, `topdir`, `serverca` (or its older name `ca`), `cert`, `authtype` (`noauth` or `ssl`),
/// `no_ssl_verify`. All other keys concern only builds and are ignored.
///
/// Example:
///
///     [koji]
///     server = https://koji.example.org/kojihub
public struct KojiProfileFile: Sendable {
    private struct Entry {
        var value: String
        let line: Int
    }

    private let name: String
    private var sections: [String: [String: Entry]] = [:]

    /// - Parameters:
    ///   - name: The name of the file in messages.
    /// - Throws: `.settings` with the line that cannot be parsed.
    public init(parsing text: String, named name: String) throws(KojiError) {
        self.name = name
        var section: String?
        var key: String?
        for (index, rawLine) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let number = index + 1
            let line = rawLine.trimmed
            if line.isEmpty || line.hasPrefix("#") || line.hasPrefix(";") { continue }
            if rawLine.first == " " || rawLine.first == "\t", let open = section, let key {
                sections[open]?[key]?.value += "\n" + line
            } else if line.hasPrefix("[") {
                guard line.hasSuffix("]"), line.count > 2 else { throw Self.error(name, number, "the name of a section has no ] after it") }
                let title = line.dropFirst().dropLast().trimmed
                guard sections[title] == nil else { throw Self.error(name, number, "there is a section [\(Excerpt.of(title))] already") }
                sections[title] = [:]
                section = title
                key = nil
            } else {
                guard let separator = line.firstIndex(where: { $0 == "=" || $0 == ":" }), separator != line.startIndex else {
                    throw Self.error(name, number, "\"\(Excerpt.of(line, longest: 60))\" is neither a [section] nor a key = value")
                }
                guard let open = section else { throw Self.error(name, number, "there is no [section] before the first key") }
                let found = line[..<separator].trimmed.lowercased()
                if let before = sections[open]?[found] {
                    throw Self.error(name, number, "\(Excerpt.of(found)) is set already in line \(before.line)")
                }
                sections[open]?[found] = Entry(value: line[line.index(after: separator)...].trimmed, line: number)
                key = found
            }
        }
    }

    /// Returns the profile in the section `[profile]`.
    ///
    /// - Parameters:
    ///   - home: The directory that `~` stands for.
    ///   - hub: The hub's address, if it is already known. It replaces the profile's address.
    /// - Throws: `.settings` when the section, the hub's address or a certificate is missing, or a value
    ///   cannot be used.
    public func profile(_ profile: String = "koji", home: FilePath, hub: String? = nil) throws(KojiError) -> KojiProfile {
        guard let section = sections[profile] else {
            let others = sections.keys.sorted().map { "[\($0)]" }.joined(separator: ", ")
            throw KojiError(
                .settings, "\(name) has no section [\(profile)]\(others.isEmpty ? "" : "; it has \(others), of which one may be meant").")
        }
        let server = section["server"]
        guard let address = hub ?? server?.value else {
            throw KojiError(.settings, "\(name) does not say in [\(profile)], as server = …, what the hub's address is.")
        }
        let path = { (key: String) in section[key].flatMap { $0.value.isEmpty ? nil : Self.path($0.value, home: home) } }
        let authentication: KojiProfile.Authentication
        switch section["authtype"]?.value.lowercased() {
        case nil where section["cert"]?.value.isEmpty == false, "ssl":
            guard let certificate = path("cert") else {
                throw Self.error(name, section["authtype"]?.line ?? 0, "authtype = ssl needs a cert = … with a certificate and its key")
            }
            authentication = .clientCertificate(.init(certificate: certificate, key: certificate))
        default:
            // Kerberos and passwords are for sessions, and no call here opens one.
            authentication = .none
        }
        let unverified = try boolean(section["no_ssl_verify"], "no_ssl_verify")
        do {
            return try KojiProfile(
                hub: address, topurl: section["topurl"].flatMap { $0.value.isEmpty ? nil : $0.value }, topdir: path("topdir"),
                serverCA: path("serverca") ?? path("ca"), authentication: authentication, verifiesServer: !unverified)
        } catch {
            let line = error.message.contains("(topurl)") ? section["topurl"]?.line : hub == nil ? server?.line : nil
            throw KojiError(.settings, "\(name), [\(profile)]\(line.map { ", line \($0)" } ?? ""): \(error.message)")
        }
    }

    private func boolean(_ entry: Entry?, _ key: String) throws(KojiError) -> Bool {
        guard let entry else { return false }
        switch entry.value.lowercased() {
        case "1", "yes", "true", "on": return true
        case "0", "no", "false", "off": return false
        default: throw Self.error(name, entry.line, "\(key) is \"\(Excerpt.of(entry.value))\" instead of yes or no")
        }
    }

    private static func path(_ text: String, home: FilePath) -> FilePath {
        if text == "~" { return home }
        return text.hasPrefix("~/") ? home.appending(String(text.dropFirst(2))) : FilePath(text)
    }

    private static func error(_ name: String, _ line: Int, _ what: String) -> KojiError {
        KojiError(.settings, "\(name), line \(line): \(what).")
    }
}

extension StringProtocol {
    fileprivate var trimmed: String {
        var rest = self[...]
        while rest.first?.isWhitespace == true { rest = rest.dropFirst() }
        while rest.last?.isWhitespace == true { rest = rest.dropLast() }
        return String(rest)
    }
}
