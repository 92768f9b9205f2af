import Foundation
import TOMLKit

/// A settings file is `odcs.toml`. It has a server and a token for daily use, and more of them as
/// profiles.
///
/// The published Python client keeps its own settings in the same file, in sections `[redhat.NAME]`.
/// The address in each section counts as a profile. If the file has no `server` and no `token` of its
/// own, the server is that of `prod`, the Python client's default.
struct SettingsFile: Equatable {
    /// A section is one server with its token.
    struct Section: Equatable {
        var server: String?
        var token: String?
    }

    var path: String
    var main = Section()
    var profiles: [String: Section] = [:]
    var registries = RegistrySettings()

    /// Returns the file in `$XDG_CONFIG_HOME` or `~/.config`, or `nil` if it does not exist.
    ///
    /// - Throws: `CommandFailure` if the file cannot be read or is not correct.
    static func find(in console: Console) throws -> SettingsFile? {
        guard let path = path(in: console.environment), FileManager.default.fileExists(atPath: path) else { return nil }
        do {
            return try SettingsFile(text: String(contentsOfFile: path, encoding: .utf8), path: path)
        } catch let error as CocoaError {
            throw CommandFailure(.error, "\(path) cannot be read: \(reason(error))")
        }
    }

    /// Returns the path of the file. A relative `$XDG_CONFIG_HOME` is ignored:
    /// https://specifications.freedesktop.org/basedir-spec/latest/
    private static func path(in environment: [String: String]) -> String? {
        if let base = environment["XDG_CONFIG_HOME"], base.hasPrefix("/") { return base + "/odcs.toml" }
        return environment["HOME"].map { $0 + "/.config/odcs.toml" }
    }

    /// - Throws: `CommandFailure` that names the key and the line.
    init(text: String, path: String) throws {
        self.path = path
        let table: TOMLTable
        do {
            table = try TOMLTable(string: text)
        } catch let error as TOMLParseError {
            throw CommandFailure(.error, "\(path), line \(error.source.begin.line): \(error.description)")
        }
        var servers: [String: String] = [:]
        for (key, value) in table {
            switch key {
            case "profiles":
                guard let sections = value.table else {
                    throw mistake("'profiles' is not a section; write [profiles.NAME]", key, in: nil, text)
                }
                for (name, value) in sections {
                    guard let section = value.table else {
                        throw mistake("'profiles.\(name)' is not a section; write [profiles.\(name)]", name, in: "profiles", text)
                    }
                    profiles[name] = Section()
                    for (key, value) in section {
                        try set(key, to: value, in: &profiles[name, default: Section()], header: "profiles.\(name)", text)
                    }
                }
            case "registries":
                guard let section = value.table else {
                    throw mistake("'registries' is not a section; write [registries]", key, in: nil, text)
                }
                do {
                    registries = try RegistrySettings(section)
                } catch let error as RegistrySettings.Mistake {
                    throw mistake(error.text, error.key, in: "registries", text)
                }
            case "redhat":
                for (name, value) in value.table ?? TOMLTable() { servers[name] = value.table?["url"]?.string }
            default:
                try set(key, to: value, in: &main, header: nil, text)
            }
        }
        profiles.merge(servers.mapValues { Section(server: $0) }) { ours, _ in ours }
        if main == Section() { main.server = servers["prod"] }
    }

    private func set(
        _ key: String, to value: any TOMLValueConvertible, in section: inout Section, header: String?, _ text: String
    ) throws {
        let member: WritableKeyPath<Section, String?>
        switch key {
        case "server": member = \.server
        case "token": member = \.token
        default: throw mistake("there is no key '\(key)'; there are server, token and sections [profiles.NAME]", key, in: header, text)
        }
        guard let string = value.string else {
            throw mistake("'\(key)' must be a text in quotes, not \(value.type.description)", key, in: header, text)
        }
        section[keyPath: member] = string
    }

    private func mistake(_ what: String, _ key: String, in header: String?, _ text: String) -> CommandFailure {
        let place = Self.line(of: key, in: header, text).map { "\(path), line \($0)" } ?? path
        return CommandFailure(.error, "\(place): \(what)")
    }

    /// Returns the line that gives `key` its value, counted from 1, because the parser does not keep it.
    /// Returns `nil` if the key is written in another way, as in an inline table.
    private static func line(of key: String, in header: String?, _ text: String) -> Int? {
        var current: String?
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let bare = line.replacing("\"", with: "").replacing("'", with: "").trimmingCharacters(in: .whitespaces)
            if bare.hasPrefix("[") {
                current = String(bare.dropFirst().prefix { $0 != "]" && $0 != " " })
                if current == [header, key].compactMap(\.self).joined(separator: ".") { return number + 1 }
            } else if current == header, bare.contains("="), bare.prefix(while: { $0 != "=" }).trimmingCharacters(in: .whitespaces) == key {
                return number + 1
            }
        }
        return nil
    }

    /// Returns the reason why a file cannot be read, in plain words.
    static func reason(_ error: any Error) -> String {
        switch (error as? CocoaError)?.code {
        case .fileReadNoSuchFile, .fileNoSuchFile: "there is no such file"
        case .fileReadNoPermission: "no permission"
        case .fileReadInapplicableStringEncoding, .fileReadUnknownStringEncoding, .fileReadCorruptFile: "it is not UTF-8 text"
        default: "it is not a readable file"
        }
    }
}
