import Foundation
import ImageModel
import SystemPackage

/// The *platform probe* finds out whether a node runs programs of a platform: it builds an image whose
/// only RUN is a program of about 130 bytes. It takes about 1.5 s.
struct PlatformProbe {
    let node: LocalNode

    func support(for platform: Platform) async throws -> PlatformSupport {
        guard let program = ProbeProgram(for: platform) else {
            return .absent("ODCS has no program to try \(platform) with. Build images for linux/amd64 or linux/arm64.")
        }
        return try await node.withWorkDirectory { try await run(program, of: platform, in: $0) }
    }

    func run(_ program: ProbeProgram, of platform: Platform, in context: FilePath) async throws -> PlatformSupport {
        let step = try ImageTag("probe-\(UUID().uuidString.lowercased())")
        try node.buildah.storage.write(program.bytes, to: context.appending("probe"), isExecutable: true)
        let specification = BuildSpecification(
            step: step, platform: platform, containerfile: "FROM scratch\nCOPY probe /probe\nRUN [\"/probe\"]\n", context: context,
            limits: BuildLimits(time: .seconds(60), logBytes: 1 << 20))
        do {
            _ = try await node.build(specification) { _ in }
            try await node.remove(step)
            return platform.architecture == Platform.host.architecture ? .native : .emulated
        } catch let failure as NodeFailure where failure.kind == .noEmulator {
            return .absent(failure.sentence)
        } catch let failure as NodeFailure
            where platform.architecture != Platform.host.architecture && [.instruction, .timeLimit].contains(failure.kind)
        {
            // The node is of use for its own platform.
            return .absent("The emulator for \(platform) does not work on the node. \(failure.sentence)")
        }
    }
}
