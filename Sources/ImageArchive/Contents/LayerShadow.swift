/// The paths that upper layers take away from the layers below, among the paths of interest.
struct LayerShadow {
    /// Paths that exist no more, with all below them. An upper layer has a whiteout or another file there.
    private var paths: Set<String> = []
    /// Directories that show nothing from the layers below.
    private var opaqueDirectories: Set<String> = []

    var isEmpty: Bool { paths.isEmpty && opaqueDirectories.isEmpty }

    mutating func hide(_ path: String) { paths.insert(path) }

    mutating func hideContent(of directory: String) { opaqueDirectories.insert(directory) }

    mutating func formUnion(_ other: LayerShadow) {
        paths.formUnion(other.paths)
        opaqueDirectories.formUnion(other.opaqueDirectories)
    }

    /// Returns whether a lower layer's file at `path` is hidden.
    func hides(_ path: String) -> Bool {
        paths.contains(path) || Self.ancestors(of: path).contains { paths.contains($0) || opaqueDirectories.contains($0) }
    }

    /// Returns the directories above a path, and the root directory as the empty path.
    static func ancestors(of path: String) -> [String] {
        let names = path.split(separator: "/")
        return (0..<names.count).map { names[..<$0].joined(separator: "/") }
    }
}
