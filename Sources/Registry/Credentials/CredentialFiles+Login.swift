import ForeignText
import Foundation
public import ImageModel
public import SystemPackage

/// Keeping credentials in the form of podman's `auth.json` (containers-auth.json(5)).
extension CredentialFiles {
    /// The file that a login writes to: the first of those that are searched.
    public var loginFile: FilePath? { paths.first }

    /// Keeps a user name and a password for a registry in a file that only its owner can read. Other
    /// entries and other settings of the file stay. A file that does not exist is made.
    ///
    /// - Parameter path: The beginning of the names of repositories that the credentials are for, for
    ///   example `team`. Nil: all repositories.
    public static func store(
        user: String, password: String, for host: RegistryHost, path: String? = nil, in file: FilePath
    ) throws(RegistryFailure) {
        let key = CredentialFile.normalised(host.description + (path.map { "/\($0)" } ?? ""))
        // A link stays a link.
        let file = FilePath(URL(filePath: file.string).resolvingSymlinksInPath().path)
        var content = try settings(in: file)
        try checkHelpers(content, key, file)
        var entries = content["auths"] as? [String: Any] ?? [:]
        let equal = entries.keys.filter { CredentialFile.normalised($0) == key }.sorted()
        for key in equal { entries[key] = nil }
        entries[equal.first ?? key] = ["auth": Data("\(user):\(password)".utf8).base64EncodedString()]
        content["auths"] = entries
        do {
            let bytes = try JSONSerialization.data(
                withJSONObject: content, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
            try FileManager.default.createDirectory(
                atPath: file.removingLastComponent().string, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            try replace(file, bytes + Data("\n".utf8))
        } catch {
            throw RegistryFailure(.badCredentials, "The credentials cannot be kept in \(file): \(reason(error)).")
        }
    }

    /// Returns the content of a file with credentials, or nothing if it does not exist or is empty.
    private static func settings(in file: FilePath) throws(RegistryFailure) -> [String: Any] {
        let size = (try? FileManager.default.attributesOfItem(atPath: file.string))?[.size] as? Int
        if size == 0 { return [:] }
        // This checks the form and the size.
        guard try CredentialFile(file, mustExist: false) != nil else { return [:] }
        let content = (try? Data(contentsOf: URL(filePath: file.string))).flatMap { try? JSONSerialization.jsonObject(with: $0) }
        guard let content = content as? [String: Any] else {
            throw RegistryFailure(.badCredentials, "The file \(file) changed while it was read. Log in again.")
        }
        return content
    }

    private static func checkHelpers(_ content: [String: Any], _ key: String, _ file: FilePath) throws(RegistryFailure) {
        let helpers = content["credHelpers"] as? [String: String] ?? [:]
        let helper = helpers.first { CredentialFile.normalised($0.key) == key }?.value ?? content["credsStore"] as? String
        guard let helper, !helper.isEmpty else { return }
        throw RegistryFailure(
            .badCredentials,
            "\(file) leaves the credentials for \(key) to the helper \(helper.quoted), and this program runs none. Name another file.")
    }

    /// Writes the file anew, so that a reader sees either the old or the new one.
    private static func replace(_ file: FilePath, _ bytes: Data) throws {
        let next = FilePath("\(file.string).\(UUID().uuidString)")
        let descriptor = try FileDescriptor.open(
            next, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec], permissions: [.ownerRead, .ownerWrite])
        do {
            try descriptor.closeAfter { _ = try descriptor.writeAll(bytes) }
            guard rename(next.string, file.string) == 0 else { throw Errno(rawValue: errno) }
        } catch {
            // The reason of the failure is thrown. At worst a file remains that only its owner can read.
            try? FileManager.default.removeItem(atPath: next.string)
            throw error
        }
    }

    private static func reason(_ error: any Error) -> String {
        (error as? Errno)?.description.lowercased() ?? "the directory cannot be written"
    }
}
