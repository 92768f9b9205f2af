import Glibc

/// The permissions that this process takes away from files and directories as it makes them, see umask(2).
///
/// Composes are published. Another web server, another user of this host, may serve a target directory, and PostgreSQL's user passes through the state directory.
/// A service that starts under umask 027 or 077, as hardened hosts have it, would make files that neither can read. Files that are secret have modes of their own.
enum CreationMask {
    /// Everybody may read what this process makes from here on, and only its owner may write it. The group may write as well if the process was started so.
    static func letOthersRead() {
        let inherited = umask(0o077)
        umask(opened(inherited))
    }

    static func opened(_ mask: mode_t) -> mode_t { mask & 0o020 | 0o002 }
}
