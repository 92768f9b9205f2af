import ForeignText
import Foundation
import Hummingbird
import NIOCore
import SystemPackage

/// The handlers that serve the files of composes below one target directory.
struct StaticComposes: Sendable {
    let root: FilePath
    /// The path at which the directory is served, without a slash at the end. Example: `/composes`.
    let prefix: String
    /// The text before the prefix in links: the path below which a proxy shows the service. Example:
    /// `/odcs`, or nothing.
    let linkPrefix: String
    let pages: WebPages
    /// The name of the directory in requests.
    let name: String
    let access: AccessControl

    /// - Returns: `nil` if another server serves the directory.
    init?(_ name: String, _ target: FrontendConfiguration.TargetDirectory, pages: WebPages) {
        guard target.url.hasPrefix("/") else { return nil }
        self.name = name
        access = pages.configuration.access
        root = target.path
        prefix = String(target.url.trimmingSuffix("/"))
        linkPrefix = pages.root
        self.pages = pages
    }

    var resources: [Resource] {
        // dnf may send credentials of another server, so they do not matter if everyone may read.
        let operation: Resource.Operation = access.privateTargets[name] == nil ? .unguarded(serve) : .open(servePrivately)
        return [Resource(RouterPath(prefix), [.get: operation]), Resource(RouterPath(prefix + "/**"), [.get: operation])]
    }

    private func servePrivately(_ request: Request, _ context: FrontendContext) async throws -> Response {
        try access.checkReading(of: name, by: context.subject.sender)
        var response = try await serve(request, context)
        response.headers[.cacheControl] = "private, no-cache"
        return response
    }

    private func serve(_ request: Request, _ context: FrontendContext) async throws -> Response {
        let path = request.uri.path
        guard path.hasPrefix(prefix) else { throw RequestRejection(.notFound, "There is no file \(path.quoted).") }
        let files = ServedFiles(root: root, link: linkPrefix + prefix, pages: pages)
        return try await files.response(path.dropFirst(prefix.count).split(separator: "/"), request, context)
    }
}

/// The error for a file that became shorter while it was sent.
struct ServedFileShrank: Error {}

/// A precondition evaluates a request's conditions for a file, in the order of RFC 9110, 13.2.2.
struct Precondition {
    enum Outcome {
        case failed
        case notModified
        /// The whole file is sent. A requested range is ignored.
        case everything
        /// The requested range is sent, if the request has one.
        case rangeIsGood
    }

    let outcome: Outcome

    init(_ headers: HTTPFields, entityTag: String, modified: Date) {
        if let tags = headers[.ifMatch] {
            guard Self.matches(tags, entityTag, weakly: false) else { outcome = .failed; return }
        } else if let date = headers[.ifUnmodifiedSince].flatMap(HTTPDate.parse), modified > date {
            outcome = .failed
            return
        }
        if let tags = headers[.ifNoneMatch] {
            guard !Self.matches(tags, entityTag, weakly: true) else { outcome = .notModified; return }
        } else if let date = headers[.ifModifiedSince].flatMap(HTTPDate.parse), modified <= date {
            outcome = .notModified
            return
        }
        if let range = headers[.ifRange], range != entityTag, HTTPDate.parse(range) != modified {
            outcome = .everything
        } else {
            outcome = .rangeIsGood
        }
    }

    private static func matches(_ tags: String, _ entityTag: String, weakly: Bool) -> Bool {
        tags.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }.contains { tag in
            tag == "*" || tag == entityTag || (weakly && tag == "W/" + entityTag)
        }
    }
}
