import AsyncHTTPClient
import ForeignText
public import ImageModel
import NIOHTTP1

/// Lists of tags and referrers. OCI Distribution Specification, "Content Discovery".
extension RegistryClient {
    /// Returns all tags of a repository, in the registry's order. Asks the registry itself.
    ///
    /// Throws `.notFound` if there is no such repository, and `.limitExceeded` if the list has no end.
    public func tags(of repository: ImageRepository) async throws(RegistryFailure) -> [ImageTag] {
        struct Page: Decodable { let tags: [String]? }
        var tags: [ImageTag] = []
        _ = try await pages("tags/list?n=1000", of: repository, Page.self, "tags") { page, _ throws(RegistryFailure) in
            for text in page.tags ?? [] {
                guard tags.count < limits.tags else {
                    throw RegistryFailure(
                        .limitExceeded, "\(repository) has more than \(limits.tags) tags. The list is not read to its end.")
                }
                do throws(ImageProblem) {
                    tags.append(try ImageTag(text))
                } catch {
                    throw .document(error, from: "The list of tags of \(repository)")
                }
            }
        }
        return tags
    }

    /// Returns the descriptors of the manifests that refer to a digest, for example attestations.
    ///
    /// - Parameter artifactType: Only referrers of this type are returned. Nil for all.
    public func referrers(
        of digest: ImageDigest, in repository: ImageRepository, artifactType: String? = nil
    ) async throws(RegistryFailure) -> [Descriptor] {
        var found: [Descriptor] = []
        let isSupported = try await pages("referrers/\(digest)", of: repository, ImageIndex.self, "referrers") {
            page, type throws(RegistryFailure) in
            // A server that does not know the API may answer with a page of its own.
            guard type.isIndex else {
                throw RegistryFailure(.badAnswer, "The list of referrers of \(repository) has the type \(type), which is not an index.")
            }
            found += page.manifests
            guard found.count <= ImageIndex.mostManifests else {
                throw RegistryFailure(
                    .limitExceeded, "\(digest) has more than \(ImageIndex.mostManifests) referrers. The list is not read to its end.")
            }
        }
        if !isSupported { found = try await referrersIndex(of: digest, in: repository).manifests }
        return found.filter { artifactType == nil || $0.artifactType == artifactType }
    }

    /// Stores a manifest that has a subject, so that it is found among the referrers of the subject.
    ///
    /// A registry without the referrers API gets a tag with an index instead ("Referrers Tag Schema"). It
    /// is read, extended, written, and read again, because others may write it at the same time.
    public func attach(_ document: ManifestDocument, to repository: ImageRepository) async throws(RegistryFailure) {
        guard case .manifest(let manifest) = document.content, let subject = manifest.subject?.digest else {
            throw RegistryFailure(.rejected, "The manifest \(document.digest) has no subject, so it cannot be attached to one.")
        }
        if try await put(document, to: repository) { return }
        let entry = document.descriptor(annotations: manifest.annotations)
        for _ in 1...max(1, limits.attempts) {
            var index = try await referrersIndex(of: subject, in: repository)
            if index.manifests.contains(where: { $0.digest == document.digest }) { return }
            guard index.manifests.count < ImageIndex.mostManifests else {
                throw RegistryFailure(
                    .limitExceeded,
                    "\(subject) of \(repository) has \(index.manifests.count) referrers, and gets no more. Delete the tag \(subject.referrersTag)."
                )
            }
            index.manifests.append(entry)
            try await put(ManifestDocument(index), to: repository, tag: subject.referrersTag)
        }
        let written = try await referrersIndex(of: subject, in: repository).manifests
        guard written.contains(where: { $0.digest == document.digest }) else {
            throw RegistryFailure(
                .unreachable,
                "The tag \(subject.referrersTag) of \(repository) could not be written, because others write it all the time.",
                isTransient: true)
        }
    }

    /// Returns the index that the tag for referrers has, empty if there is no such tag.
    private func referrersIndex(of digest: ImageDigest, in repository: ImageRepository) async throws(RegistryFailure) -> ImageIndex {
        let document: ManifestDocument
        do throws(RegistryFailure) {
            document = try await manifest(ImageReference(repository, tag: digest.referrersTag))
        } catch  where error.code == .notFound {
            return ImageIndex(manifests: [])
        }
        guard case .index(let index) = document.content else {
            throw RegistryFailure(.badAnswer, "The tag \(digest.referrersTag) of \(repository) is not an index of referrers.")
        }
        return index
    }

    /// Reads a list, page by page ("Link" of RFC 8288). Returns whether the registry has such a list.
    ///
    /// Throws `.notFound` instead for a list of tags, which every repository has.
    private func pages<Page: Decodable & Sendable>(
        _ resource: String, of repository: ImageRepository, _ type: Page.Type, _ title: String,
        _ receive: (Page, MediaType) throws(RegistryFailure) -> Void
    ) async throws(RegistryFailure) -> Bool {
        let endpoint = configuration.endpoint(repository.host)
        var next: RegistryURL? = endpoint.url(repository, resource)
        var count = 0
        while let url = next {
            count += 1
            guard count <= limits.pages else {
                throw RegistryFailure(
                    .limitExceeded, "The list of \(title) of \(repository) has more than \(limits.pages) pages. It is not read to its end.")
            }
            let call = Call(.GET, url, of: repository, at: endpoint)
            let answer = try await connection.persistently("\(title) of \(repository)") { () async throws(RegistryFailure) in
                try await page(call, Page.self, title)
            }
            guard let answer else { return false }
            try receive(answer.page, answer.type)
            next = answer.next
        }
        return true
    }

    private func page<Page: Decodable & Sendable>(
        _ call: Call, _ type: Page.Type, _ title: String
    ) async throws(RegistryFailure) -> (page: Page, type: MediaType, next: RegistryURL?)? {
        let response = try await connection.respond(to: call)
        if response.status == .notFound, title == "referrers" { return nil }
        guard response.status == .ok else { throw await connection.failure(response, call, "list of \(title) of \(call.repository.path)") }
        let bytes = try await connection.body(of: response, from: call.url, most: limits.pageBytes)
        let page: Page
        do throws(ImageProblem) {
            page = try BoundedJSON.decode(Page.self, from: bytes, "The list")
        } catch {
            throw .document(error, from: "The list of \(title) of \(call.repository)")
        }
        let type = MediaType(contentType: response.headers.first(name: "content-type") ?? "")
        return (page, type, try nextPage(response, call))
    }

    /// Returns the address of the next page, which must be at the same registry.
    private func nextPage(_ response: HTTPClientResponse, _ call: Call) throws(RegistryFailure) -> RegistryURL? {
        guard let link = response.headers.first(name: "link"), link.utf8.first == UInt8(ascii: "<"), link.contains("next"),
            let end = link.firstIndex(of: ">")
        else { return nil }
        let url = try call.url.resolving(String(link[..<end].dropFirst()), "names as the next page")
        guard url.hasSameOrigin(as: call.url) else {
            throw RegistryFailure(.badAnswer, "The registry at \(call.url.origin) names as the next page an address of another server.")
        }
        return url
    }
}
