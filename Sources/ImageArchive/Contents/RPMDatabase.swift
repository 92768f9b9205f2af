public import SystemPackage

/// The files of an image's rpm database, copied out of its layers.
public struct RPMDatabase: Hashable, Sendable {
    /// The format of the database, from the name of its main file.
    public enum Format: String, Hashable, Sendable, CaseIterable {
        case sqlite
        /// SUSE's own format, which rpm calls ndb.
        case ndb
        /// Berkeley DB, which rpm had until version 4.16.
        case berkeley

        /// The name of the main file. The first format is preferred if a directory has several files.
        var mainFile: String {
            switch self {
            case .sqlite: "rpmdb.sqlite"
            case .ndb: "Packages.db"
            case .berkeley: "Packages"
            }
        }

        /// The names of files that belong to the main file, if they exist. SQLite keeps the latest changes in
        /// them (sqlite.org/wal.html).
        var companions: [String] { self == .sqlite ? ["rpmdb.sqlite-wal", "rpmdb.sqlite-shm"] : [] }
    }

    public let format: Format
    /// The directory on this host that has the files. `rpm --dbpath` takes it.
    public let directory: FilePath
    /// The directory in the image, without a leading slash. Example: `usr/lib/sysimage/rpm`.
    public let place: String
    /// The layer that has the main file, counted from 0 at the bottom.
    public let layer: Int

    /// The directories in which rpm has its database: that of Fedora and SUSE, the old one, and that of
    /// ostree. The first one is preferred if one layer has several.
    static let places = ["usr/lib/sysimage/rpm", "var/lib/rpm", "usr/share/rpm"]
}

/// The result of a search for the rpm database of an image.
public enum RPMDatabaseSearch: Hashable, Sendable {
    case found(RPMDatabase)
    /// The image has no rpm database in any place where rpm keeps one.
    case none
    /// The image has or may have a database that could not be read. The text is a sentence.
    case unknown(String)
}
