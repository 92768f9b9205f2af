import Directory
import Identity
import Kerberos
import SystemPackage

extension ServerConfiguration {
    /// The settings of logins with Kerberos.
    struct KerberosLogins: Hashable, Sendable {
        var keytab: FilePath
        var realms: KerberosRealms
    }

    /// The settings of the directory that knows the groups of people.
    struct LDAPGroups: Hashable, Sendable {
        var address: DirectoryAddress
        var startTLS: Bool
        var ca: FilePath?
        /// The name to log in with, and the file with its password.
        var login: Login?
        var searches: [GroupSearch]
        var cacheSeconds: Int
        /// The mechanisms whose people get groups from the directory. Example: `kerberos`.
        var mechanisms: [String]

        struct Login: Hashable, Sendable {
            var name: String
            var passwordFile: FilePath
        }

        /// Whether others in the network can read and change what the directory answers.
        var isInTheOpen: Bool { !address.isEncrypted && !startTLS && !address.isLocal }
    }
}
