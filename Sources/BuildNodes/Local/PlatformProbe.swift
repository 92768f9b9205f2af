import Foundation
import ImageModel
import Logging
import SystemPackage

/// The *platform probe* finds out whether a node runs programs of a platform: it builds an image whose
/// only RUN is a program of about 130 bytes. It takes about 1.5 s.
///
/// On a host that is very busy, it can take minutes. So a trial that exceeds its time says nothing, and
/// is made again with more time. Until one ends, the node is not ready. An emulator can hang for ever.
/// So a platform of another architecture is absent after a few trials.
struct PlatformProbe {
    let node: LocalNode
    /// The time for a trial, by the number of the trials before it: a minute, and then twice the time of
    /// the one before, up to 16 minutes.
    var limit: @Sendable (_ trial: Int) -> Duration = { .seconds(60 << min($0, 4)) }
    /// The trials after which a platform of another architecture is absent.
    static let emulatedTrials = 3

    func support(for platform: Platform) async throws -> PlatformSupport {
        guard let program = ProbeProgram(for: platform) else {
            return .absent("ODCS has no program to try \(platform) with. Build images for linux/amd64 or linux/arm64.")
        }
        return try await node.withWorkDirectory { try await run(program, of: platform, in: $0) }
    }

    func run(_ program: ProbeProgram, of platform: Platform, in context: FilePath) async throws -> PlatformSupport {
        let isOwn = platform.architecture == Platform.host.architecture
        var trial = 0
        while true {
            do {
                return try await run(program, of: platform, in: context, for: limit(trial))
            } catch let failure as NodeFailure where failure.kind == .timeLimit {
                trial += 1
                guard isOwn || trial < Self.emulatedTrials else { return Self.absent(platform, because: failure) }
                node.logger.warning(
                    "the trial of a platform takes long, and is made again; the node is not ready yet",
                    metadata: ["platform": "\(platform)", "reason": "\(failure.sentence)"])
            }
        }
    }

    private func run(
        _ program: ProbeProgram, of platform: Platform, in context: FilePath, for time: Duration
    ) async throws -> PlatformSupport {
        let step = try ImageTag("probe-\(UUID().uuidString.lowercased())")
        try node.buildah.storage.write(program.bytes, to: context.appending("probe"), isExecutable: true)
        let specification = BuildSpecification(
            step: step, platform: platform, containerfile: "FROM scratch\nCOPY probe /probe\nRUN [\"/probe\"]\n", context: context,
            limits: BuildLimits(time: time, logBytes: 1 << 20))
        do {
            _ = try await node.build(specification) { _ in }
            try await node.remove(step)
            return platform.architecture == Platform.host.architecture ? .native : .emulated
        } catch let failure as NodeFailure where failure.kind == .noEmulator {
            return .absent(failure.sentence)
        } catch let failure as NodeFailure
            where platform.architecture != Platform.host.architecture && failure.kind == .instruction
        {
            return Self.absent(platform, because: failure)
        }
    }

    /// The node is of use for its own platform.
    private static func absent(_ platform: Platform, because failure: NodeFailure) -> PlatformSupport {
        .absent("The emulator for \(platform) does not work on the node. \(failure.sentence)")
    }
}
