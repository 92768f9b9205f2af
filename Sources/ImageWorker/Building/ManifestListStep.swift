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
        let list = try await list(of: build, image.repository)
        let tags = try build.listTags
        // No tag moves if one of them was moved by another program.
        for (tag, moves) in tags { try await check(tag, moves: moves, of: image, moving: list.digest, build) }
        try await put(list, at: tags.prefix(1).map(\.tag), build, image)
        // A user of a moving tag finds the provenance.
        try await attestations.attach(to: list, of: build, in: image.repository)
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
        var manifests: [Descriptor] = []
        var gone: [Platform: ImageDigest] = [:]
        for step in build.steps {
            guard let platform = step.platform, let digest = step.digest else { continue }
            do throws(RegistryFailure) {
                let document = try await registry.manifest(ImageReference(repository, digest: digest))
                manifests.append(document.descriptor(platform: platform))
            } catch {
                guard error.code == .notFound else { throw error }
                gone[platform] = digest
            }
        }
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

    /// Throws if a tag shows something that this service did not write and has never seen.
    private func check(_ tag: ImageTag, moves: Bool, of image: Image, moving digest: ImageDigest, _ build: Build) async throws {
        guard let current = try await registry.reportedDigest(of: ImageReference(image.repository, tag: tag)), current != digest else {
            return
        }
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
