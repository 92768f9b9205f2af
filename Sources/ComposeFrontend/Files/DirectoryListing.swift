import ComposeModel
import ForeignText
import Foundation

/// A directory listing shows a directory of a compose as a page.
struct DirectoryListing: Sendable {
    struct Row: Sendable {
        let name, link, size: String
    }

    let path: String
    let parent: String
    /// The number of the compose that the directory belongs to. `nil` above the composes.
    let compose: Int?
    let rows: [Row]
    let hasRows: Bool

    /// - Parameters:
    ///   - path: The directory's path on this server, percent-encoded, without a slash at the end.
    ///   - names: The names below the target directory that lead to the directory.
    ///   - compose: The compose whose files these are. `nil` for that of the first name.
    init(path: String, names: [String], children: [ServedEntry.Child], of compose: Int? = nil) {
        self.path = (path.removingPercentEncoding ?? path).shown(1000)
        parent = path.split(separator: "/").dropLast().map { "/" + $0 }.joined()
        self.compose = compose ?? names.first.flatMap { ComposeLayout(directoryName: $0)?.id }
        rows = children.map { child in
            let slash = child.isDirectory ? "/" : ""
            return Row(
                name: child.name + slash, link: "\(path)/\(child.name.percentEncoded)\(slash)",
                size: child.isDirectory ? "" : ShownNumber.size(child.size))
        }
        hasRows = !rows.isEmpty
    }
}
