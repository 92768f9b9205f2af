import Foundation
import ImageModel
import SystemPackage

/// The *engine probe* finds out whether a node runs programs of a platform: it builds an image whose
/// only RUN is a program of about 130 bytes. An emulator that is registered and does not work is found
/// in this way.
struct EngineProbe {
    /// The beginning of the names of steps that are trials, and the seconds after which one has ended.
    static let (prefix, longest) = ("probe-", 3600.0)

    let node: EngineNode
    /// The architecture of the node itself, if it is known.
    var own: String?
    /// The time for a trial.
    var limit = Duration.seconds(60)

    /// - Throws: `NodeFailure` if the node is so busy that the trial of its own platform exceeds its time.
    ///   That says nothing about the platform. The next look at the node makes the trial again.
    func support(for platform: Platform) async throws -> PlatformSupport {
        guard let program = ProbeProgram(for: platform) else {
            return .absent("ODCS has no program to try \(platform) with. Build images for linux/amd64 or linux/arm64.")
        }
        let context = node.settings.scratch.appending("probe-\(UUID().uuidString.lowercased())")
        try FileManager.default.createDirectory(atPath: context.string, withIntermediateDirectories: true)
        // At worst the next start of the worker removes it.
        defer { try? FileManager.default.removeItem(atPath: context.string) }
        let file = context.appending("probe")
        try Data(program.bytes).write(to: URL(filePath: file.string))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file.string)
        let step = try ImageTag("\(Self.prefix)\(UUID().uuidString.lowercased())")
        let specification = BuildSpecification(
            step: step, platform: platform, containerfile: "FROM scratch\nCOPY probe /probe\nRUN [\"/probe\"]\n", context: context,
            limits: BuildLimits(time: limit, logBytes: 1 << 20))
        do {
            _ = try await node.build(specification) { _ in }
            try await node.remove(step)
            return .native
        } catch let failure as NodeFailure where failure.kind == .noEmulator {
            return .absent("The node cannot run programs of \(platform): no emulator is registered. Install qemu-user-static there.")
        } catch let failure as NodeFailure where failure.kind == .timeLimit && platform.architecture == own {
            throw NodeFailure(.timeLimit, "A program of \(platform) takes long there. \(failure.sentence)")
        } catch let failure as NodeFailure where [.instruction, .timeLimit].contains(failure.kind) {
            return .absent("A program of \(platform) does not run there. \(failure.sentence)")
        }
    }
}
