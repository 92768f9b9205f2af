import CSolv
public import Repodata

extension LibraryVersion {
    /// The version of libsolv, the library of the solver.
    public static var libsolv: LibraryVersion {
        LibraryVersion(name: "libsolv", running: csolv_version().map { String(cString: $0) } ?? "unknown", built: LIBSOLV_VERSION_STRING)
    }
}
