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

    /// Stores manifests that have one subject, so that they are found among the referrers of the subject.
    ///
    /// A registry without the referrers API gets a tag with an index instead ("Referrers Tag Schema"). It
    /// is read, extended, written, and read again, because others may write it at the same time.
    public func attach(_ documents: [ManifestDocument], to repository: ImageRepository) async throws(RegistryFailure) {
        guard let first = documents.first else { return }
        let subject = try Self.subject(of: first)
        for document in documents where try Self.subject(of: document) != subject {
            throw RegistryFailure(.rejected, "The manifests \(first.digest) and \(document.digest) have two subjects.")
        }
        var index: ImageIndex
        do {
            // A registry with the API has no such tag. Its answer is not waited for, but for the manifests.
            async let known = referrersIndex(of: subject, in: repository)
            var isListed = true
            for document in documents { isListed = try await put(document, to: repository) && isListed }
            index = try await known
            if isListed { return }
        } catch let failure as RegistryFailure {
            throw failure
        } catch {
            throw .canceled
        }
        let entries = documents.map { document in
            document.descriptor(annotations: { if case .manifest(let manifest) = document.content { manifest.annotations } else { [:] } }())
        }
        for _ in 1...max(1, limits.attempts) {
            let missing = entries.filter { entry in !index.manifests.contains { $0.digest == entry.digest } }
            if missing.isEmpty { return }
            guard index.manifests.count + missing.count <= ImageIndex.mostManifests else {
                throw RegistryFailure(
                    .limitExceeded,
                    "\(subject) of \(repository) has \(index.manifests.count) referrers, and gets no more. Delete the tag \(subject.referrersTag)."
                )
            }
            index.manifests += missing
            try await put(ManifestDocument(index), to: repository, tag: subject.referrersTag)
            index = try await referrersIndex(of: subject, in: repository)
        }
        guard entries.allSatisfy({ entry in index.manifests.contains { $0.digest == entry.digest } }) else {
            throw RegistryFailure(
                .unreachable,
                "The tag \(subject.referrersTag) of \(repository) could not be written, because others write it all the time.",
                isTransient: true)
        }
    }

    private static func subject(of document: ManifestDocument) throws(RegistryFailure) -> ImageDigest {
        guard case .manifest(let manifest) = document.content, let subject = manifest.subject?.digest else {
            throw RegistryFailure(.rejected, "The manifest \(document.digest) has no subject, so it cannot be attached to one.")
        }
        return subject
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
