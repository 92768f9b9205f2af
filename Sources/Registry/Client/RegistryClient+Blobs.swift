import AsyncHTTPClient
import HTTPEnvironment
public import ImageModel
public import NIOCore
import NIOHTTP1

/// Reading blobs. OCI Distribution Specification, "Pulling blobs".
extension RegistryClient {
    /// Reads a blob in pieces, in order. When the function returns, `receive` got exactly the content of
    /// the descriptor. If it throws, the pieces so far must not be used.
    ///
    /// A connection that breaks is continued at the same place. The next piece is read after `receive` has
    /// returned, so memory stays bounded.
    ///
    /// - Parameters:
    ///   - have: The digest of the bytes that the caller has from an earlier attempt. They are not read
    ///     again. The algorithm must be that of the descriptor.
    ///   - receive: Gets each piece. Its errors end the reading, and are thrown as they are.
    /// - Throws: ``RegistryFailure``, with `.mismatch` for content with another digest or size.
    public func blob(
        _ descriptor: Descriptor, of repository: ImageRepository, after have: RunningDigest? = nil,
        _ receive: (ByteBuffer) async throws -> Void
    ) async throws {
        var transfer = BlobTransfer(descriptor: descriptor, running: have ?? RunningDigest(descriptor.digest.algorithm))
        guard transfer.running.count <= descriptor.size else {
            throw RegistryFailure(.mismatch, "There are more bytes of \(descriptor.digest) than it has.")
        }
        if transfer.running.count < descriptor.size || descriptor.size == 0 && descriptor.digest != transfer.running.digest {
            try await reading(repository, "blob \(descriptor.digest) of \(repository)", &transfer, receive)
        }
        do throws(ImageProblem) {
            try descriptor.verify(count: transfer.running.count, digest: transfer.running.digest)
        } catch {
            throw RegistryFailure(.mismatch, "A blob of \(repository) is not used. \(error.description)")
        }
    }

    /// Returns a small blob, for example the configuration of an image.
    public func blob(
        _ descriptor: Descriptor, of repository: ImageRepository, most: Int = ManifestDocument.mostBytes
    ) async throws(RegistryFailure) -> [UInt8] {
        guard descriptor.size <= most else {
            throw RegistryFailure(
                .limitExceeded, "The blob \(descriptor.digest) of \(repository) has \(descriptor.size) bytes. At most \(most) are read.")
        }
        var bytes: [UInt8] = []
        do {
            try await blob(descriptor, of: repository) { bytes += $0.readableBytesView }
        } catch {
            // The closure throws nothing.
            throw error as? RegistryFailure ?? .canceled
        }
        return bytes
    }

    /// Returns whether the registry itself has a blob.
    public func hasBlob(_ digest: ImageDigest, in repository: ImageRepository) async throws(RegistryFailure) -> Bool {
        try await connection.persistently("look for \(digest)") { () async throws(RegistryFailure) in
            var call = Call(.HEAD, "blobs/\(digest)", of: repository, at: configuration.endpoint(repository.host))
            call.followsRedirects = true
            let response = try await connection.respond(to: call)
            switch response.status.code {
            case 200: return true
            case 404: return false
            default: throw await connection.failure(response, call, "blob \(digest)")
            }
        }
    }

    /// Reads the rest of a blob, at the mirrors and then at the registry.
    private func reading(
        _ repository: ImageRepository, _ purpose: String, _ transfer: inout BlobTransfer, _ receive: (ByteBuffer) async throws -> Void
    ) async throws {
        var receiverError: (any Error)?
        var current = transfer
        do throws(RegistryFailure) {
            try await reading(repository, purpose) { endpoint throws(RegistryFailure) in
                do throws(BlobTransfer.Interruption) {
                    try await current.attempt(repository, at: endpoint, connection, receive)
                } catch {
                    switch error {
                    case .registry(let failure): throw failure
                    case .receiver(let error):
                        receiverError = error
                        throw .canceled
                    }
                }
            }
        } catch {
            throw receiverError ?? error
        }
        transfer = current
    }
}

/// The state of the reading of one blob, which outlives a connection.
private struct BlobTransfer {
    let descriptor: Descriptor
    /// The digest and the number of the bytes that the receiver has.
    var running: RunningDigest

    enum Interruption: Error {
        case registry(RegistryFailure)
        case receiver(any Error)
    }

    /// Reads the rest of the blob from one registry.
    mutating func attempt(
        _ repository: ImageRepository, at endpoint: RegistryEndpoint, _ connection: RegistryConnection,
        _ receive: (ByteBuffer) async throws -> Void
    ) async throws(Interruption) {
        var call = Call(.GET, "blobs/\(descriptor.digest)", of: repository, at: endpoint)
        call.followsRedirects = true
        if running.count > 0 { call.headers.add(name: "range", value: "bytes=\(running.count)-") }
        let response: HTTPClientResponse
        do throws(RegistryFailure) {
            response = try await connection.respond(to: call)
        } catch {
            throw .registry(error)
        }
        // A registry without ranges sends the blob from its beginning. The first bytes are known already.
        var known: Int
        switch response.status.code {
        case 200: known = running.count
        case 206 where response.headers.first(name: "content-range")?.hasPrefix("bytes \(running.count)-") ?? false: known = 0
        case 206: throw .registry(.unreachable("\(call.url.origin) answered with another part of a blob than it was asked for"))
        default: throw .registry(await connection.failure(response, call, "blob \(descriptor.digest) of \(repository.path)"))
        }
        let expected = descriptor.size - running.count + known
        if let announced = response.headers.first(name: "content-length").flatMap({ Int($0) }), announced != expected {
            throw .registry(otherSize("\(running.count - known + min(announced, Descriptor.mostBytes))", call))
        }
        let begin = ContinuousClock.now
        var received = 0
        var pieces = response.body.makeAsyncIterator()
        while true {
            var piece: ByteBuffer
            do {
                guard let next = try await pieces.next() else { break }
                piece = next
            } catch {
                throw .registry(Task.isCancelled ? .canceled : .network(error, at: call.url.origin))
            }
            SourceWaits.received(piece.readableBytes)
            received += piece.readableBytes
            let skipped = min(known, piece.readableBytes)
            piece.moveReaderIndex(forwardBy: skipped)
            known -= skipped
            guard piece.readableBytes <= descriptor.size - running.count else { throw .registry(otherSize("more", call)) }
            guard !connection.limits.isTooSlow(received: received, in: .now - begin) else {
                throw .registry(.unreachable("\(call.url.origin) sends a blob too slowly"))
            }
            guard piece.readableBytes > 0 else { continue }
            running.update(piece.readableBytesView)
            do { try await receive(piece) } catch { throw .receiver(error) }
        }
        // The body of a canceled request ends as if it were complete.
        if Task.isCancelled { throw .registry(.canceled) }
        guard running.count == descriptor.size else {
            throw .registry(.unreachable("\(call.url.origin) ended a blob after \(running.count) of \(descriptor.size) bytes"))
        }
    }

    private func otherSize(_ found: String, _ call: Call) -> RegistryFailure {
        RegistryFailure(
            .mismatch,
            "The registry at \(call.url.origin) sends another blob: \(descriptor.digest) should have \(descriptor.size) bytes, and it sends \(found)."
        )
    }
}
