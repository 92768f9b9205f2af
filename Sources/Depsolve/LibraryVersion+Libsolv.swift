import CSolv
public import Repodata

extension LibraryVersion {
    /// The solver's library.
    public static var libsolv: LibraryVersion {
        LibraryVersion(name: "libsolv", running: csolv_version().map { String(cString: $0) } ?? "unknown", built: LIBSOLV_VERSION_STRING)
    }
}
