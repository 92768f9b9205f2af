import ComposeStore
import Hummingbird
import ImageArchive
import ImageModel

/// The handler of `/api/1/contexts`, which takes build contexts: tar archives, which may be compressed.
struct ContextController: Sendable {
    static let path = "/api/1/contexts"

    let configuration: FrontendConfiguration
    let store: ComposeStore

    var resources: [Resource] { [Resource(RouterPath(Self.path), [.post: .needs(.buildImage, upload)])] }

    private func upload(_ request: Request, _ context: FrontendContext, _ grant: Grant) async throws -> Response {
        let service = try configuration.imageService
        try grant.admitImages()
        let limit = service.contextBytes
        if let length = request.headers[.contentLength].flatMap(Int.init), length > limit {
            throw RequestRejection.bodyTooLarge(limit: limit)
        }
        let uploads = grant.uploadLimit(of: request, context, configuration.callers)
        if let uploads {
            try await store.checkUpload(ofBytes: request.headers[.contentLength].flatMap { Int($0) }, within: uploads)
        }
        do {
            let spool = try ContextSpool(in: service.scratch, limit: limit)
            var count = 0
            for try await bytes in request.body {
                count += bytes.readableBytes
                guard count <= limit else { throw RequestRejection.bodyTooLarge(limit: limit) }
                try await spool.append(bytes)
            }
            guard count > 0 else {
                throw RequestRejection.badRequest("The body is empty. It must be a tar archive, which may be compressed with gzip or zstd.")
            }
            let (archive, containerfile) = try await spool.finish()
            if let uploads { try await store.recordUpload(of: archive.digest, bytes: archive.size, within: uploads) }
            try await ContextStore(service: service).store(archive, spool.content, containerfile: containerfile)
            return try .json(ContextDocument(digest: archive.digest, bytes: archive.size))
        } catch let error as ImageArchiveError where error.code != .io {
            throw RequestRejection.badRequest(error.message)
        }
    }
}
