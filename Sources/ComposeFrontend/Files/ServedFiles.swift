import ForeignText
import Foundation
import Hummingbird
import SystemPackage

/// The files below a directory, at an address below which they are shown.
struct ServedFiles: Sendable {
    /// The target directory. Only names of composes below it are served.
    let root: FilePath
    /// The names that lead from the target directory to the files. Example: `["odcs-12"]`, or none for all
    /// composes.
    var directory: [String] = []
    /// The compose whose files these are, which may be those of an equal compose. `nil` if the names have
    /// its number.
    var compose: Int?
    /// The address of the files in links, with its prefix. Example: `/odcs/composes`.
    let link: String
    let pages: WebPages

    /// Returns a file, or the page of a directory.
    ///
    /// - Parameter names: The names of the path below the address, in percent-encoding.
    /// - Throws: ``RequestRejection`` with status 404 if there is no such file.
    func response(_ names: some Sequence<Substring>, _ request: Request, _ context: FrontendContext) async throws -> Response {
        let nothing = RequestRejection(.notFound, "There is no file \(request.uri.path.quoted).")
        let names = names.map { String($0).removingPercentEncoding }
        let plain = names.compactMap(\.self)
        guard plain.count == names.count, plain.allSatisfy(Self.isPlainName), (directory + plain).first.map(ServedEntry.isCompose) ?? true,
            let entry = try await ServedEntry.open(directory + plain, below: root)
        else { throw nothing }
        switch entry {
        case .file(let file):
            return file.response(to: request, mediaType: MediaTypes.type(ofFileNamed: plain.last ?? ""))
        case .directory(let children):
            let path = ([link] + plain.map(\.percentEncoded)).joined(separator: "/")
            let listing = DirectoryListing(path: path, names: directory + plain, children: children, of: compose)
            return pages.response("directory", title: listing.path, page: listing, request, context)
        }
    }

    private static func isPlainName(_ name: String) -> Bool {
        PathComponent.accepts(name) && name.utf8.first != UInt8(ascii: ".")
    }
}
