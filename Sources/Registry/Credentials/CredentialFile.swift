import ForeignText
import Foundation
public import ImageModel
import SystemPackage

extension CredentialFiles {
    /// Returns the credentials for the repository `path` of a registry, or nil if no file has any.
    ///
    /// The longest key that matches counts. Example: for `r.example.org/team/web` the keys
    /// `r.example.org/team/web`, `r.example.org/team` and `r.example.org` are searched in this order.
    func credentials(for path: String, at host: RegistryHost) throws(RegistryFailure) -> Credentials? {
        for file in paths {
            guard let file = try CredentialFile(file, mustExist: isNamed) else { continue }
            if let found = try file.credentials(for: path, at: host) { return found }
        }
        return nil
    }
}

extension CredentialFiles {
    /// Returns the user name and the password for a repository, for another program, or nil if no file has
    /// any.
    public func login(for repository: ImageRepository) throws(RegistryFailure) -> (user: String, password: String)? {
        try credentials(for: repository.path, at: repository.host).map { ($0.user, $0.password) }
    }
}

/// One file with credentials.
struct CredentialFile: Decodable {
    /// The most bytes of a file.
    private static let mostBytes = 1 << 20

    private struct Entry: Decodable {
        let auth: String?
        let username: String?
        let password: String?
        let identitytoken: String?
    }

    private let auths: [String: Entry]?
    private let credHelpers: [String: String]?
    private let credsStore: String?

    /// Returns nil if the file does not exist and need not.
    init?(_ path: FilePath, mustExist: Bool) throws(RegistryFailure) {
        do {
            let file = try SystemPackage.FileDescriptor.open(path, .readOnly, options: .closeOnExec)
            let data = try file.closeAfter {
                try FileHandle(fileDescriptor: file.rawValue, closeOnDealloc: false).read(upToCount: Self.mostBytes + 1) ?? Data()
            }
            guard data.count <= Self.mostBytes else {
                throw RegistryFailure(.badCredentials, "The file of credentials is larger than \(Self.mostBytes) bytes.")
            }
            self = try JSONDecoder().decode(Self.self, from: data)
        } catch Errno.noSuchFileOrDirectory where !mustExist {
            return nil
        } catch let failure as RegistryFailure {
            throw failure
        } catch is DecodingError {
            throw RegistryFailure(
                .badCredentials, "The file of credentials is not JSON of the form that podman login and docker login write.")
        } catch {
            throw RegistryFailure(
                .badCredentials, "The file of credentials cannot be read: \((error as? Errno)?.description ?? "unknown error").")
        }
    }

    func credentials(for path: String, at host: RegistryHost) throws(RegistryFailure) -> Credentials? {
        for key in Self.keys(of: path, at: host) {
            let helper = credHelpers?.first { Self.normalised($0.key) == key }
            if helper != nil { throw Self.needsHelper(key) }
            guard let entry = auths?.first(where: { Self.normalised($0.key) == key })?.value else { continue }
            if let token = entry.identitytoken, !token.isEmpty {
                throw RegistryFailure(
                    .badCredentials,
                    "The credentials for \(key) are an identity token, which is not supported. Log in with a user name and a password.")
            }
            if let found = try Self.credentials(of: entry, key) { return found }
            // docker leaves an empty entry if the store has the password.
            if let store = credsStore, !store.isEmpty { throw Self.needsHelper(key) }
        }
        return nil
    }

    private static func credentials(of entry: Entry, _ key: String) throws(RegistryFailure) -> Credentials? {
        if let user = entry.username, let password = entry.password, !user.isEmpty { return Credentials(user: user, password: password) }
        guard let auth = entry.auth, !auth.isEmpty else { return nil }
        guard let data = Data(base64Encoded: auth), let text = String(data: data, encoding: .utf8),
            let colon = text.utf8.firstIndex(of: UInt8(ascii: ":"))
        else {
            throw RegistryFailure(.badCredentials, "The credentials for \(key) are not base64 of a user name, a colon and a password.")
        }
        // docker pads passwords with NUL.
        let password = text[text.utf8.index(after: colon)...].trimmingCharacters(in: CharacterSet(charactersIn: "\0"))
        return Credentials(user: String(text[..<colon]), password: password)
    }

    private static func needsHelper(_ key: String) -> RegistryFailure {
        RegistryFailure(
            .badCredentials,
            "The credentials for \(key) are kept by a credential helper, and this program runs none. "
                + "Log in with podman login --authfile, and name that file.")
    }

    /// The keys that match the repository, the longest first.
    private static func keys(of path: String, at host: RegistryHost) -> [String] {
        let components = path.split(separator: "/")
        let paths = (0...components.count).reversed().map { components.prefix($0).map { "/\($0)" }.joined() }
        return paths.map { host.description.lowercased() + $0 }
    }

    /// Returns the key without the scheme and the version of docker's keys. Example:
    /// `https://index.docker.io/v1/` becomes `docker.io`.
    static func normalised(_ key: String) -> String {
        var rest = Substring(key)
        for scheme in ["https://", "http://"] where rest.hasPrefix(scheme) { rest = rest.dropFirst(scheme.count) }
        while rest.hasSuffix("/") { rest = rest.dropLast() }
        for version in ["/v1", "/v2"] where rest.hasSuffix(version) { rest = rest.dropLast(version.count) }
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        let host = rest[..<slash].lowercased()
        return (["index.docker.io", "registry-1.docker.io"].contains(host) ? "docker.io" : host) + rest[slash...]
    }
}
