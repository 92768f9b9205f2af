import ComposeStore
import Foundation
import ImageModel
import Registry

/// A *manifest list step* writes the manifest list of a build and moves its tags. The tag of the date
/// is written first, then the provenance, and `latest` comes last. A list that lacks a platform gets
/// only the tag of the date.
struct ManifestListStep {
    let store: ComposeStore
    let registry: RegistryClient
    let attestations: BuildAttestations

    func run(_ build: Build, _ image: Image) async throws -> StepResult {
        let tags = try build.listTags
        async let shown = digests(of: tags.map(\.tag), in: image.repository)
        async let records = attestations.records(of: build)
        let list = try await list(of: build, image.repository)
        // No tag moves if one of them was moved by another program.
        for ((tag, moves), current) in zip(tags, try await shown) {
            try await check(tag, showing: current, moves: moves, of: image, moving: list.digest, build)
        }
        // A user of a moving tag finds the provenance.
        try await attestations.attach(to: list, of: build, try await records, in: image.repository) {
            try await put(list, at: tags.prefix(1).map(\.tag), build, image)
        }
        try await put(list, at: tags.dropFirst().map(\.tag), build, image)
        return StepResult(digest: list.digest, tags: tags.map(\.tag))
    }

    /// Writes the list under some tags.
    ///
    /// - Throws: ``GoneImages`` if an image was deleted between the look at it and the write.
    private func put(_ list: ManifestDocument, at tags: [ImageTag], _ build: Build, _ image: Image) async throws {
        do throws(RegistryFailure) {
            for tag in tags { try await registry.put(list, to: image.repository, tag: tag) }
        } catch {
            if error.code == .contentMissing { _ = try await self.list(of: build, image.repository) }
            throw error
        }
    }

    /// Returns the list. Each attempt makes the same bytes.
    ///
    /// - Throws: ``GoneImages``.
    private func list(of build: Build, _ repository: ImageRepository) async throws -> ManifestDocument {
        let images = build.steps.compactMap { step in step.platform.flatMap { platform in step.digest.map { (platform, $0) } } }
        // An image that is gone has no descriptor.
        let found = try await inParallel(images) { platform, digest -> Descriptor? in
            do throws(RegistryFailure) {
                return try await registry.manifest(ImageReference(repository, digest: digest)).descriptor(platform: platform)
            } catch {
                guard error.code == .notFound else { throw error }
                return nil
            }
        }
        let gone = Dictionary(uniqueKeysWithValues: zip(images, found).filter { $0.1 == nil }.map(\.0))
        let manifests = found.compactMap(\.self)
        if !gone.isEmpty { throw GoneImages(images: gone) }
        var annotations = [
            "org.opencontainers.image.created": build.timeSubmitted.formatted(.iso8601), "vnd.odcs.build": "\(build.id)",
        ]
        annotations["org.opencontainers.image.revision"] = build.pins?.commit
        if !build.platformsLeftOut.isEmpty {
            annotations["vnd.odcs.left-out"] = build.platformsLeftOut.map(\.description).joined(separator: ",")
        }
        return ManifestDocument(ImageIndex(manifests: manifests, annotations: annotations))
    }

    /// Returns what tags show.
    private func digests(of tags: [ImageTag], in repository: ImageRepository) async throws -> [ImageDigest?] {
        try await inParallel(tags) { try await registry.reportedDigest(of: ImageReference(repository, tag: $0)) }
    }

    /// Returns the results of all calls, in the order of the values.
    private func inParallel<Value: Sendable, Result: Sendable>(
        _ values: [Value], _ body: @escaping @Sendable (Value) async throws -> Result
    ) async throws -> [Result] {
        try await withThrowingTaskGroup(of: (Int, Result).self) { group in
            for (index, value) in values.enumerated() { group.addTask { (index, try await body(value)) } }
            return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }.sorted { $0.key < $1.key }.map(\.value)
        }
    }

    /// Throws if a tag shows something that this service did not write and has never seen.
    ///
    /// - Parameter current: What the tag shows.
    private func check(
        _ tag: ImageTag, showing current: ImageDigest?, moves: Bool, of image: Image, moving digest: ImageDigest, _ build: Build
    ) async throws {
        guard let current, current != digest else { return }
        let published = try await store.publishedDigest(of: image.id, tag: tag)
        // The first build of an image takes over a tag that was there before.
        if current == published || (published == nil && moves) { return }
        throw BuildFailure(
            .tagMoved,
            "The tag \(tag) of \(image.repository) shows \(current), which another program wrote there. It stays as it is, and so do the other "
                + "tags. The images of the platforms are in the registry, for example as \(build.steps.compactMap(\.digest).first.map(\.description) ?? ""). Build the image again."
        )
    }
}
