import Glibc

/// The creation mask is the set of permissions that this process removes from its new files and
/// directories, see umask(2).
///
/// Composes are published. Another web server may serve a target directory as another user of this
/// host, and PostgreSQL's user needs access through the state directory. Hardened hosts start a service
/// under umask 027 or 077, and neither user could read its files then. Secret files have modes of their
/// own.
enum CreationMask {
    /// Lets every user read the files that this process makes from now on. Only the owner may write them.
    /// The group may write them too if the inherited mask allows it.
    static func letOthersRead() {
        let inherited = umask(0o077)
        umask(opened(inherited))
    }

    static func opened(_ mask: mode_t) -> mode_t { mask & 0o020 | 0o002 }
}
