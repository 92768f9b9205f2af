import CModulemd
public import Repodata

extension LibraryVersion {
    /// libmodulemd, the library that reads modules.yaml.
    public static var libmodulemd: LibraryVersion {
        LibraryVersion(name: "libmodulemd", running: modulemd_get_version().map { String(cString: $0) } ?? "unknown")
    }
}
