import ContainerEngine
public import Foundation
public import ImageModel

/// Looks at a node, without a build.
extension EngineNode {
    /// The platforms that are tried.
    private static let platforms = ["linux/amd64", "linux/arm64"]

    /// The platforms of a node.
    public struct Platforms: Hashable, Sendable {
        public var native: [Platform] = []
        public var emulated: [Platform] = []
        public var absent: [Platform: String] = [:]
    }

    /// Returns the program and version of the engine.
    ///
    /// - Throws: ``NodeFailure`` if the node is lost.
    public func version() async throws -> String {
        try await asking { () throws(EngineFailure) in try await engine.version() }
    }

    /// Tries a program of each platform.
    ///
    /// - Throws: ``NodeFailure`` if the node is lost or builds nothing, or is too busy to say.
    public func probe() async throws -> Platforms {
        let own = try await asking { () throws(EngineFailure) in try await engine.platform() }
        var found = Platforms()
        for platform in try Self.platforms.map({ try Platform($0) }) {
            switch try await EngineProbe(node: self, own: own).support(for: platform) {
            case .native, .emulated:
                if platform.architecture == own { found.native.append(platform) } else { found.emulated.append(platform) }
            case .absent(let reason): found.absent[platform] = reason
            }
        }
        return found
    }

    /// Removes images. Images that a container uses stay, and so do those of leased steps.
    ///
    /// - Parameter leased: Returns the steps that are being built. It is asked after the images were
    ///   listed, so that no image of a later step is removed.
    /// - Returns: The number of images that were removed, and of those that are left.
    public func prune(
        _ request: PruneRequest, leased: () async throws -> Set<ImageTag>, now: Date = Date()
    ) async throws -> (removed: Int, left: Int) {
        let images = try await asking { () throws(EngineFailure) in try await engine.images() }
        let kept = Set(try await leased().map(Self.localName))
        return try await asking { () throws(EngineFailure) in
            var removed = 0
            for image in images where image.names.allSatisfy({ !kept.contains($0) }) {
                let isOfStep = image.names.contains { $0.hasPrefix(Self.localPrefix) || $0.hasPrefix(NodeFiles.prefix) }
                guard request.all || image.isNameless || isOfStep else { continue }
                if let age = request.olderThanSeconds, now.timeIntervalSince(image.created) < Double(age) { continue }
                var isGone = true
                for name in image.names.isEmpty ? [image.id.description] : image.names {
                    do throws(EngineFailure) {
                        isGone = try await engine.remove(name) && isGone
                    } catch {
                        // An image that cannot be removed is counted as left.
                        guard error.code == .refused else { throw error }
                        isGone = false
                    }
                }
                if isGone { removed += 1 }
            }
            return (removed, try await engine.images().count)
        }
    }

    /// Removes the images of steps that have ended, with the names that they had for a push, and ends
    /// the lifelines of their builds. Such an image or lifeline stays if a worker was killed, or if a
    /// step moved to another node or failed after its build. Old images with the files of composes, and
    /// of trials of platforms, are removed too.
    ///
    /// - Parameter ended: Returns those of the steps that have ended.
    public func sweep(now: Date = Date(), _ ended: (Set<ImageTag>) async throws -> Set<ImageTag>) async throws {
        let images = try await asking { () throws(EngineFailure) in try await engine.images() }
        for image in images {
            let age = now.timeIntervalSince(image.created)
            for name in image.names
            where name.hasPrefix(NodeFiles.prefix) && age >= NodeFiles.lifetime
                || name.hasPrefix(Self.localPrefix + EngineProbe.prefix) && age >= EngineProbe.longest
            {
                _ = try await asking { () throws(EngineFailure) in try await engine.remove(name) }
            }
        }
        let lifelines = try await asking { () throws(EngineFailure) in
            do throws(EngineFailure) {
                return try await engine.containers(with: BuildLifeline.label)
            } catch {
                // A node that allows no containers has no lifelines.
                guard [.refused, .badAnswer].contains(error.code) else { throw error }
                return []
            }
        }
        let names = images.flatMap(\.names).filter { $0.hasPrefix(Self.localPrefix) }.map { String($0.dropFirst(Self.localPrefix.count)) }
        // A name whose end is no tag was not given by this service.
        let steps = Set((names + lifelines.compactMap { $0.labels[BuildLifeline.label] }).compactMap { try? ImageTag($0) })
        guard !steps.isEmpty else { return }
        let over = try await ended(steps)
        for lifeline in lifelines {
            let step = lifeline.labels[BuildLifeline.label] ?? ""
            let isOldTrial = step.hasPrefix(EngineProbe.prefix) && now.timeIntervalSince(lifeline.created) >= EngineProbe.longest
            guard isOldTrial || over.contains(where: { $0.text == step }) else { continue }
            try await asking { () throws(EngineFailure) in try await engine.removeContainer(lifeline.id) }
        }
        let unneeded = Set(over.map(Self.localName))
        for image in images where !unneeded.isDisjoint(with: image.names) {
            // A worker that was killed during a push has left the name of the push.
            for name in image.names where unneeded.contains(name) || Self.isOfPush(name) {
                _ = try await asking { () throws(EngineFailure) in try await engine.remove(name) }
            }
        }
    }

    /// Whether a name is one that a platform is pushed under. Example: `…/app:image-linux-amd64-20261129`.
    static func isOfPush(_ name: String) -> Bool {
        platforms.contains { name.contains(":image-\($0.replacing("/", with: "-"))-") }
    }

    /// Returns the free bytes of the disk with the images. Nil if the engine does not report them.
    func freeBytes() async throws -> Int? {
        try await asking { () throws(EngineFailure) in
            do throws(EngineFailure) {
                return try await engine.room().freeBytes
            } catch {
                guard [.refused, .badAnswer].contains(error.code) else { throw error }
                return nil
            }
        }
    }
}
