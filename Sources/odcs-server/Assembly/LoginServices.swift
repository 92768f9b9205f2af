import ComposeStore
import Directory
import Foundation
import Identity
import Kerberos
import Logging
import NIOPosix
import SystemPackage

/// The login services are the identity providers that call blocking libraries, with their threads.
///
/// Each library has two threads of its own: a directory that does not answer must not delay tickets.
struct LoginServices: Sendable {
    /// The provider for Kerberos. `nil` if it is not configured.
    let kerberos: KerberosProvider?
    private let directory: GroupDirectory?
    private let mechanisms: [String]
    private let threadPools: [NIOThreadPool]

    /// - Throws: ``UnusableFile`` for a keytab or a password file that cannot be used.
    init(_ configuration: ServerConfiguration, logger: Logger) throws {
        let keytab = configuration.kerberos.map { Keytab($0.keytab) }
        do throws(Keytab.Problem) { try keytab?.check() } catch {
            throw UnusableFile(description: "auth.kerberos.keytab: \(error). Kerberos does not work without it.")
        }
        let settings = try configuration.directory.map { try Self.settings($0) }
        var threadPools: [NIOThreadPool] = []
        // Nothing from here on throws, because the threads have to be ended.
        func threads() -> NIOThreadPool {
            let threadPool = NIOThreadPool(numberOfThreads: 2)
            threadPool.start()
            threadPools.append(threadPool)
            return threadPool
        }
        if let keytab, let realms = configuration.kerberos?.realms {
            kerberos = KerberosProvider(keytab: keytab, realms: realms, threadPool: threads(), logger: logger)
        } else {
            kerberos = nil
        }
        directory = settings.map { GroupDirectory($0, threadPool: threads(), logger: logger) }
        mechanisms = configuration.directory?.mechanisms ?? []
        self.threadPools = threadPools
    }

    /// The error for a file that logins need. It names the key of the configuration.
    struct UnusableFile: Error, CustomStringConvertible {
        let description: String
    }

    /// Returns a provider that gives people their groups from the directory too, if the configuration wants
    /// it for this mechanism.
    ///
    /// - Parameter mechanism: The name in `auth.mechanisms`, for example `openid`.
    func withGroups(_ provider: any IdentityProvider, mechanism: String) -> any IdentityProvider {
        guard let directory, mechanisms.contains(mechanism) else { return provider }
        return DirectoryGroups(of: provider, in: directory)
    }

    /// Returns a look-up of the groups that an account has now, if the configuration wants it for this
    /// mechanism. It serves a provider that knows only the groups of an earlier time.
    func groupLookup(mechanism: String) -> TokenProvider.GroupLookup? {
        guard let directory, mechanisms.contains(mechanism) else { return nil }
        return { (account) async throws(CredentialFailure) in try await directory.groups(of: account) }
    }

    /// Ends the threads. No provider may be asked afterwards.
    func shutdown() async throws {
        for threadPool in threadPools { try await threadPool.shutdownGracefully() }
    }

    private static func settings(_ groups: ServerConfiguration.LDAPGroups) throws -> DirectorySettings {
        DirectorySettings(
            address: groups.address, startTLS: groups.startTLS, authorities: groups.ca,
            login: try groups.login.map { ($0.name, try password(in: $0.passwordFile)) }, searches: groups.searches,
            cacheTime: .seconds(groups.cacheSeconds))
    }

    /// Returns the first line of a file.
    private static func password(in file: FilePath) throws -> Secret {
        guard let bytes = FileManager.default.contents(atPath: file.string), let text = String(validating: bytes, as: UTF8.self),
            let line = text.split(whereSeparator: \.isNewline).first
        else { throw UnusableFile(description: "auth.directory.bind_password_file: \(file) cannot be read, or is empty.") }
        return Secret(line)
    }
}
