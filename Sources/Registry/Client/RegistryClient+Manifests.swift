import AsyncHTTPClient
public import ImageModel
import NIOCore
import NIOHTTP1

/// Manifests and indexes. OCI Distribution Specification, "Pulling manifests" and "Pushing Manifests".
extension RegistryClient {
    /// Returns a manifest or an index. A reference with a digest means that digest. A reference without
    /// digest and tag means the tag `latest`.
    ///
    /// Throws `.notFound` if the registry does not have it.
    public func manifest(_ reference: ImageReference) async throws(RegistryFailure) -> ManifestDocument {
        let reference = reference.withDefaultTag
        return try await reading(reference.repository, "manifest of \(reference)") { endpoint throws(RegistryFailure) in
            let call = Call(manifest: reference, .GET, at: endpoint)
            let response = try await connection.respond(to: call)
            guard response.status == .ok else { throw await connection.failure(response, call, Self.subject(reference)) }
            let bytes = try await connection.body(of: response, from: call.url, most: ManifestDocument.mostBytes)
            let type = response.headers.first(name: "content-type").map { MediaType(contentType: $0) }
            let document: ManifestDocument
            do throws(ImageProblem) {
                document = try ManifestDocument(bytes, mediaType: type, digest: reference.digest)
            } catch {
                throw .document(error, from: "The answer of the registry at \(call.url.origin) for \(reference)")
            }
            try Self.check(response, document.digest, call)
            memory.note(document, in: reference.repository)
            return document
        }
    }

    /// Returns the digest that the registry reports for a manifest, or nil if there is no such manifest.
    ///
    /// The digest is a claim of the registry. It is good to notice that a tag has moved.
    public func reportedDigest(of reference: ImageReference) async throws(RegistryFailure) -> ImageDigest? {
        let reference = reference.withDefaultTag
        do throws(RegistryFailure) {
            let found = try await reading(reference.repository, "digest of \(reference)") { endpoint throws(RegistryFailure) in
                let call = Call(manifest: reference, .HEAD, at: endpoint)
                let response = try await connection.respond(to: call)
                guard response.status == .ok else { throw await connection.failure(response, call, Self.subject(reference)) }
                return response.headers.first(name: "docker-content-digest").flatMap { try? ImageDigest($0) }
            }
            if let found { return found }
            return try await manifest(reference).digest
        } catch  where error.code == .notFound {
            return nil
        }
    }

    /// Stores a manifest or an index, and moves a tag to it.
    ///
    /// - Parameter tag: Nil to store it by its digest only.
    /// - Returns: Whether the registry has noted the manifest among the referrers of its subject.
    /// - Throws: `.contentMissing` if the registry lacks a blob or manifest that the document names.
    @discardableResult
    public func put(
        _ document: ManifestDocument, to repository: ImageRepository, tag: ImageTag? = nil
    ) async throws(RegistryFailure) -> Bool {
        let reference = ImageReference(repository, tag: tag, digest: tag == nil ? document.digest : nil)
        return try await connection.persistently("put \(reference)") { () async throws(RegistryFailure) in
            var call = Call(manifest: reference, .PUT, at: configuration.endpoint(repository.host))
            call.headers.add(name: "content-type", value: document.mediaType.rawValue)
            call.body = { .bytes(ByteBuffer(bytes: document.bytes)) }
            let response = try await connection.respond(to: call)
            guard [200, 201, 202].contains(response.status.code) else {
                throw await connection.failure(response, call, Self.subject(reference))
            }
            try Self.check(response, document.digest, call)
            return response.headers.contains(name: "oci-subject")
        }
    }

    /// Throws if the registry reports another digest than the one that was computed.
    private static func check(_ response: HTTPClientResponse, _ digest: ImageDigest, _ call: Call) throws(RegistryFailure) {
        guard let text = response.headers.first(name: "docker-content-digest"), let reported = try? ImageDigest(text),
            reported.algorithm == digest.algorithm, reported != digest
        else { return }
        throw RegistryFailure(
            .mismatch, "The registry at \(call.url.origin) reports the digest \(reported) for a manifest that has \(digest).")
    }

    static func subject(_ reference: ImageReference) -> String {
        "manifest \(reference.digest?.description ?? reference.tag?.text ?? "") of \(reference.repository.path)"
    }
}

extension Call {
    fileprivate init(manifest reference: ImageReference, _ method: HTTPMethod, at endpoint: RegistryEndpoint) {
        let version = reference.digest?.description ?? reference.tag?.text ?? ImageTag.latest.text
        self.init(
            method, "manifests/\(version)", of: reference.repository, at: endpoint, method == .PUT ? .write : .read)
        if method != .PUT {
            headers.add(name: "accept", value: MediaType.manifests.map(\.rawValue).joined(separator: ", "))
        }
    }
}
