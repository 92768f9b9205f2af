import ForeignText
import Foundation

/// A directory listing shows a directory of a compose as a page.
struct DirectoryListing {
    /// The directory's path on this server, percent-encoded, without a slash at the end.
    let path: String
    let children: [ServedEntry.Child]

    var page: HTMLPage {
        let title = path.removingPercentEncoding ?? path
        let rows = children.map { child in
            let slash = child.isDirectory ? "/" : ""
            return """
                <tr><td><a href="\(path.htmlEscaped)/\(child.name.percentEncoded)\(slash)">\(child.name.htmlEscaped)\(slash)</a></td>\
                <td class="number">\(child.isDirectory ? "" : child.size.formatted(.byteCount(style: .file)))</td></tr>
                """
        }
        let parent = path.split(separator: "/").dropLast().map { "/" + $0 }.joined()
        return HTMLPage(
            title: title,
            body: """
                <h1>\(title.htmlEscaped)/</h1>
                <p><a href="\(parent.htmlEscaped)/">one up</a></p>
                <table>
                <tr><th>Name</th><th>Size</th></tr>
                \(rows.joined(separator: "\n"))
                </table>
                """)
    }
}
