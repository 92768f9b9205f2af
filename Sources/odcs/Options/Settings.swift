import ComposeClient
import Foundation

/// Settings are the address of the service and the token for it. They come from options, the
/// environment, the settings file, and the default, in this order.
struct Settings: Equatable {
    static let defaultServer = "http://127.0.0.1:5005"

    var server: ServerAddress
    var token: String?
    /// Whether the token is the one that `odcs login` has kept for the server.
    var isTokenKept = false

    /// - Parameter readsToken: Whether a token is looked for.
    /// - Throws: `CommandFailure` or `ComposeClientError` that says which setting is wrong.
    init(_ options: ConnectionOptions, in console: Console, readsToken: Bool = true) throws {
        func variable(_ name: String) -> String? {
            console.environment[name].flatMap { $0.isEmpty ? nil : $0 }
        }
        let file = try SettingsFile.find(in: console)
        let section = try Self.section(of: file, profile: options.profile ?? variable("ODCS_PROFILE"))
        let ofFile = section.server ?? Self.defaultServer
        server = try ServerAddress(options.server ?? variable("ODCS_SERVER") ?? ofFile)
        guard readsToken else { return }

        if let path = options.tokenFile {
            token = try Self.token(from: path, in: console)
        } else if let variable = variable("ODCS_TOKEN") {
            token = variable
        } else if let path = variable("ODCS_TOKEN_FILE") {
            token = try Self.token(from: path, in: console)
        } else if let written = section.token, try server == ServerAddress(ofFile) {
            // A token belongs to the server that is written beside it. If an option names another server, that
            // server must not get the token.
            token = written
        } else if let kept = try TokenFile(in: console.environment)?.token(for: server) {
            token = kept
            isTokenKept = true
        }
    }

    private static func section(of file: SettingsFile?, profile: String?) throws -> SettingsFile.Section {
        guard let profile else { return file?.main ?? SettingsFile.Section() }
        if let section = file?.profiles[profile] { return section }
        let known = (file?.profiles.keys).map { $0.sorted().joined(separator: ", ") } ?? ""
        throw CommandFailure(
            .error,
            "there is no profile '\(profile)' in \(file?.path ?? "~/.config/odcs.toml")" + (known.isEmpty ? "" : "; there are \(known)"))
    }

    private static func token(from path: String, in console: Console) throws -> String {
        let url = URL(filePath: path, relativeTo: URL(filePath: console.directory, directoryHint: .isDirectory))
        do {
            return try String(contentsOf: url, encoding: .utf8)
        } catch {
            throw CommandFailure(.error, "the token's file \(path) cannot be read: \(SettingsFile.reason(error))")
        }
    }
}
