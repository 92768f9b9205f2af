import ComposeStore
import Foundation
import ImageModel
import Registry

/// A *manifest list step* writes the manifest list of a build and moves its tags. The tag of the date
/// and the provenance are written first, and `latest` comes last. A list that lacks a platform gets
/// only the tag of the date.
struct ManifestListStep {
    let store: ComposeStore
    let registry: RegistryClient
    let attestations: BuildAttestations

    func run(_ step: Step, _ inputs: StepInputs) async throws -> StepResult {
        let (build, image) = (inputs.build, inputs.image)
        let tags = try build.listTags
        async let shown = digests(of: tags.map(\.tag), in: image.repository)
        async let present: Void = checkPresence(of: build, image.repository)
        let list = try await list(of: build, image.repository)
        // The documents are made and uploaded while the registry is asked.
        async let documents = attestations.upload(about: list, inputs, isFirst: step.attempts == 1)
        try await present
        // No tag moves if one of them was moved by another program.
        for ((tag, moves), current) in zip(tags, try await shown) {
            try await check(tag, showing: current, moves: moves, of: image, moving: list.digest, build)
        }
        async let dated: Void = put(list, at: tags.prefix(1).map(\.tag), build, image)
        let uploaded = try await documents
        async let attached: Void = attestations.attach(uploaded, in: image.repository)
        try await dated
        // A user of a moving tag finds the provenance.
        try await attached
        _ = try await inParallel(tags.dropFirst().map(\.tag)) { try await put(list, at: [$0], build, image) }
        return StepResult(digest: list.digest, tags: tags.map(\.tag))
    }

    /// Writes the list under some tags.
    ///
    /// - Throws: ``GoneImages`` if an image was deleted between the look at it and the write.
    private func put(_ list: ManifestDocument, at tags: [ImageTag], _ build: Build, _ image: Image) async throws {
        do throws(RegistryFailure) {
            for tag in tags { try await registry.put(list, to: image.repository, tag: tag) }
        } catch {
            if error.code == .contentMissing { try await checkPresence(of: build, image.repository) }
            throw error
        }
    }

    /// Returns the images of the platforms.
    private func images(of build: Build) -> [(platform: Platform, digest: ImageDigest)] {
        build.steps.compactMap { step in step.platform.flatMap { platform in step.digest.map { (platform, $0) } } }
    }

    /// Throws ``GoneImages`` if the registry does not have all images of the build any more.
    private func checkPresence(of build: Build, _ repository: ImageRepository) async throws {
        let images = images(of: build)
        let shown = try await inParallel(images) { try await registry.reportedDigest(of: ImageReference(repository, digest: $0.digest)) }
        let gone = zip(images, shown).filter { $0.1 == nil }.map(\.0)
        if !gone.isEmpty { throw GoneImages(images: Dictionary(uniqueKeysWithValues: gone.map { ($0.platform, $0.digest) })) }
    }

    /// Returns the list. Each attempt makes the same bytes.
    ///
    /// - Throws: ``GoneImages``.
    private func list(of build: Build, _ repository: ImageRepository) async throws -> ManifestDocument {
        let images = images(of: build)
        // This worker often knows the images, because it has checked them after their push.
        let manifests = try await inParallel(images) { image -> Descriptor in
            do throws(RegistryFailure) {
                return try await registry.knownManifest(image.digest, of: repository).descriptor(platform: image.platform)
            } catch {
                // Others may be gone as well.
                if error.code == .notFound { try await checkPresence(of: build, repository) }
                throw error
            }
        }
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
