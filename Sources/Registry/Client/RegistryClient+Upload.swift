import AsyncHTTPClient
public import ImageModel
import NIOCore
import NIOHTTP1

/// Uploading blobs. OCI Distribution Specification, "Pushing blobs" and "Mounting a blob from another
/// repository".
extension RegistryClient {
    /// The way by which a blob came into a repository.
    public enum Arrival: Hashable, Sendable {
        /// The registry had it already.
        case present
        /// The registry took it from another repository.
        case mounted
        case uploaded
    }

    /// Brings a blob into a repository, if it is not there. The registry checks the digest.
    ///
    /// - Parameters:
    ///   - source: A repository of the same registry that may have the blob.
    ///   - isNew: Whether no other client can have brought the blob there. The
    ///     registry is not asked for it then.
    @discardableResult
    public func upload(
        _ descriptor: Descriptor, to repository: ImageRepository, from source: ImageRepository? = nil, isNew: Bool = false,
        _ content: some BlobContent
    ) async throws(RegistryFailure) -> Arrival {
        if !isNew, try await hasBlob(descriptor.digest, in: repository) { return .present }
        let source = source.flatMap { $0.host == repository.host && $0 != repository ? $0 : nil }
        return try await connection.persistently("upload \(descriptor.digest)") { () async throws(RegistryFailure) in
            guard let session = try await begin(descriptor.digest, repository, source) else { return .mounted }
            if descriptor.size <= limits.chunkBytes {
                try await finish(session, repository, descriptor, content, 0..<descriptor.size)
            } else {
                let session = try await uploadChunks(session, repository, descriptor, content)
                try await finish(session, repository, descriptor, content, 0..<0)
            }
            return .uploaded
        }
    }

    /// Begins an upload, and returns the address for the content. Returns nil if the registry took the blob
    /// from `source`.
    private func begin(
        _ digest: ImageDigest, _ repository: ImageRepository, _ source: ImageRepository?
    ) async throws(RegistryFailure) -> RegistryURL? {
        let endpoint = configuration.endpoint(repository.host)
        var url = endpoint.url(repository, "blobs/uploads/")
        if let source { url = url.adding("mount", digest.description).adding("from", source.path) }
        var call = Call(.POST, url, of: repository, at: endpoint, .write)
        call.source = source
        let response = try await connection.respond(to: call)
        switch response.status.code {
        case 201 where source != nil: return nil
        case 202: return try place(response, call)
        // A repository that may not be read is no reason to give up.
        case 401, 403, 404: return source == nil ? try await refuse(response, call, digest) : try await begin(digest, repository, nil)
        default: return try await refuse(response, call, digest)
        }
    }

    /// Uploads all content in chunks. After a failure that may pass, the registry is asked for the place to
    /// continue at.
    private func uploadChunks(
        _ session: RegistryURL, _ repository: ImageRepository, _ descriptor: Descriptor, _ content: some BlobContent
    ) async throws(RegistryFailure) -> RegistryURL {
        var (session, offset, attempt) = (session, 0, 1)
        while offset < descriptor.size {
            let part = offset..<min(offset + limits.chunkBytes, descriptor.size)
            do throws(RegistryFailure) {
                session = try await send(.PATCH, session, repository, descriptor, content, part, expecting: 202)
                (offset, attempt) = (part.upperBound, 1)
            } catch {
                guard let pause = limits.pause(after: error, attempt: attempt) else { throw error }
                do { try await connection.clock.sleep(for: pause) } catch { throw .canceled }
                attempt += 1
                (session, offset) = try await progress(session, repository, descriptor)
            }
        }
        return session
    }

    /// Returns the number of bytes that the registry has of an upload.
    private func progress(
        _ session: RegistryURL, _ repository: ImageRepository, _ descriptor: Descriptor
    ) async throws(RegistryFailure) -> (session: RegistryURL, count: Int) {
        let call = Call(.GET, session, of: repository, at: configuration.endpoint(repository.host), .write)
        let response = try await connection.respond(to: call)
        if response.status == .notFound { throw .unreachable("\(session.origin) has forgotten an upload") }
        guard response.status == .noContent else { throw await connection.failure(response, call, "blob \(descriptor.digest)") }
        // The header is "0-LAST". An upload without content has "0-0".
        let last = response.headers.first(name: "range").flatMap { $0.split(separator: "-").last }.flatMap { Int($0) } ?? 0
        guard (0..<max(1, descriptor.size)).contains(last) else {
            throw RegistryFailure(.badAnswer, "The registry at \(session.origin) reports more bytes of an upload than were sent.")
        }
        return (try place(response, call), last == 0 ? 0 : last + 1)
    }

    /// Sends the last content, and ends the upload.
    private func finish(
        _ session: RegistryURL, _ repository: ImageRepository, _ descriptor: Descriptor, _ content: some BlobContent, _ part: Range<Int>
    ) async throws(RegistryFailure) {
        let session = session.adding("digest", descriptor.digest.description)
        _ = try await send(.PUT, session, repository, descriptor, content, part, expecting: 201)
    }

    /// Sends a part of the content. Returns the address for the next part.
    private func send(
        _ method: HTTPMethod, _ session: RegistryURL, _ repository: ImageRepository, _ descriptor: Descriptor,
        _ content: some BlobContent, _ part: Range<Int>, expecting status: UInt
    ) async throws(RegistryFailure) -> RegistryURL {
        var call = Call(method, session, of: repository, at: configuration.endpoint(repository.host), .write)
        call.headers.add(name: "content-type", value: "application/octet-stream")
        if method == .PATCH { call.headers.add(name: "content-range", value: "\(part.lowerBound)-\(part.upperBound - 1)") }
        call.bodyBytes = part.count
        let pieces = ContentPieces(content: content, part: part)
        call.body = { part.isEmpty ? .bytes(ByteBuffer()) : .stream(pieces, length: .known(Int64(part.count))) }
        let response = try await connection.respond(to: call)
        guard response.status.code == status else { return try await refuse(response, call, descriptor.digest) }
        return method == .PATCH ? try place(response, call) : session
    }

    private func refuse(
        _ response: HTTPClientResponse, _ call: Call, _ digest: ImageDigest
    ) async throws(RegistryFailure) -> RegistryURL {
        throw await connection.failure(response, call, "blob \(digest)")
    }

    /// Returns the address that the registry names for the next request of an upload. It must be at the
    /// registry itself, because it gets the credentials and the content.
    private func place(_ response: HTTPClientResponse, _ call: Call) throws(RegistryFailure) -> RegistryURL {
        guard let location = response.headers.first(name: "location") else {
            throw RegistryFailure(.badAnswer, "The registry at \(call.url.origin) names no address for an upload.")
        }
        let url = try call.url.resolving(location, "names for an upload")
        guard url.hasSameOrigin(as: call.url) else {
            throw RegistryFailure(
                .badAnswer, "The registry at \(call.url.origin) names for an upload an address of another server, \(url.origin).")
        }
        return url
    }
}
