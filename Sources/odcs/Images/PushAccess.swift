import Foundation
import ImageModel
import Inventory
import Registry
import SystemPackage

/// The access to the registry of a push. The program that pushes and this command use the same
/// credentials, and both use TLS or neither does.
struct PushAccess {
    let settings: RegistrySettings
    /// The options for the program that pushes.
    let pushOptions: [String]
    /// The console with the credentials of the options.
    let console: Console
    /// A file with the credentials of the option `--creds`.
    private let credentials: FilePath?

    /// - Parameter isLoopbackInsecure: Whether a registry on this host is spoken to without TLS.
    init(_ references: TreeReferences, isLoopbackInsecure: Bool, in console: Console) throws {
        var (settings, console) = (try RegistrySettings.current(in: console, isLoopbackInsecure: isLoopbackInsecure), console)
        var options = references.pushOptions
        let hosts = Set(references.images.flatMap(\.platforms).map(\.reference.repository.host))
        if Self.value(of: "--tls-verify", in: options) == "false" { settings.insecure.formUnion(hosts) }
        let isPlain = hosts.contains { settings.insecure.contains($0) || (isLoopbackInsecure && $0.isLoopback) }
        // docker needs no such option for registries on this host, and does not know it.
        if isPlain, Self.value(of: "--tls-verify", in: options) == nil, FilePath(references.program).lastComponent != "docker" {
            options.append("--tls-verify=false")
        }
        if let file = Self.value(of: "--authfile", in: options) { console.environment["REGISTRY_AUTH_FILE"] = console.path(file).string }
        credentials = try Self.value(of: "--creds", in: options).map { try Self.keep($0, for: hosts) }
        if let credentials { console.environment["REGISTRY_AUTH_FILE"] = credentials.string }
        self.settings = settings
        self.console = console
        pushOptions = options
    }

    /// Removes the file with credentials.
    func end() {
        // At worst a file stays that only its owner can read.
        if let credentials { try? FileManager.default.removeItem(atPath: credentials.string) }
    }

    /// Returns the value of an option in the form `--name=value`, or else `--name value`.
    static func value(of name: String, in options: [String]) -> String? {
        for (index, option) in options.enumerated() {
            if option.hasPrefix("\(name)=") { return String(option.dropFirst(name.count + 1)) }
            if option == name, index + 1 < options.count { return options[index + 1] }
        }
        return nil
    }

    private static func keep(_ text: String, for hosts: Set<RegistryHost>) throws -> FilePath {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2 else {
            throw CommandFailure(.error, "the option --creds of a push needs a name and a password: NAME:PASSWORD")
        }
        let file = FilePath(FileManager.default.temporaryDirectory.path).appending("odcs-push-\(UUID().uuidString).json")
        for host in hosts {
            try CommandFailure.explaining { () throws(RegistryFailure) in
                try CredentialFiles.store(user: parts[0], password: parts[1], for: host, in: file)
            }
        }
        return file
    }
}
