import Glibc
import ImageModel
import ImageTestKit
import Synchronization
import Testing

@testable import BuildNodes

@Suite("A platform probe", .serialized, .timeLimit(.minutes(5)))
struct PlatformProbeTests {
    @Test("the host's own platform is native, and a platform without a program is absent")
    func native() async throws {
        try await BuildWorld.run { world in
            #expect(try await world.node.support(for: .host) == .native)
            let other = try await world.node.support(for: Platform("linux/s390x"))
            #expect(other == .absent("ODCS has no program to try linux/s390x with. Build images for linux/amd64 or linux/arm64."))
        }
    }

    @Test("an emulator that does not work makes its platform absent, and the node stays of use")
    func broken() async throws {
        try await BuildWorld.run { world in
            let platform = try Platform(Platform.host.architecture == "arm64" ? "linux/amd64" : "linux/arm64")
            // A program of the host that ends with an error, as one does whose emulator finds no files.
            let (zero, one): ([UInt8], [UInt8]) =
                Platform.host.architecture == "arm64" ? ([0, 0, 0x80, 0xD2], [0x20, 0, 0x80, 0xD2]) : ([0x31, 0xFF], [0xFF, 0xCF])
            var bytes = try #require(ProbeProgram(for: .host)).bytes
            bytes.replaceSubrange(try #require(bytes.ranges(of: zero).last), with: one)
            let program = ProbeProgram(bytes)
            let support = try await world.node.withWorkDirectory { work in
                try await PlatformProbe(node: world.node).run(program, of: platform, in: work)
            }
            guard case .absent(let reason) = support else {
                Issue.record("The platform is \(support).")
                return
            }
            #expect(reason.contains(platform.description))
            #expect(try await world.node.support(for: .host) == .native)
        }
    }

    @Test("a trial that exceeds its time is made again, and the host's own platform is native in the end")
    func slow() async throws {
        try await BuildWorld.run { world in
            let trials = Mutex<[Int]>([])
            let probe = PlatformProbe(node: world.node) { trial in
                trials.withLock { $0.append(trial) }
                // No program starts in the first of these times.
                return trial < 2 ? .milliseconds(1) : .seconds(240)
            }
            let support = try await probe.support(for: .host)
            #expect(support == .native)
            #expect(trials.withLock { $0 } == [0, 1, 2])
        }
    }

    @Test("an emulator that is never done makes its platform absent after a few trials")
    func hanging() async throws {
        try await BuildWorld.run { world in
            let platform = try Platform(Platform.host.architecture == "arm64" ? "linux/amd64" : "linux/arm64")
            let program = try #require(ProbeProgram(for: .host))
            let trials = Mutex(0)
            let probe = PlatformProbe(node: world.node) { _ in
                trials.withLock { $0 += 1 }
                return .milliseconds(1)
            }
            let support = try await world.node.withWorkDirectory { try await probe.run(program, of: platform, in: $0) }
            guard case .absent(let reason) = support else {
                Issue.record("The platform is \(support).")
                return
            }
            let beginning = "The emulator for \(platform) does not work on the node. The build exceeded its time limit of 1 milliseconds"
            #expect(reason.hasPrefix(beginning))
            #expect(trials.withLock { $0 } == PlatformProbe.emulatedTrials)
        }
    }

    @Test(
        "arm64 is emulated while qemu is registered, and absent afterwards",
        .enabled(if: geteuid() == 0 && Platform.host.architecture == "amd64", "Only root can register an emulator."))
    func emulated() async throws {
        try await EmulatorRegistration.exclusively { try await BuildWorld.run(emulated) }
    }

    private func emulated(_ world: BuildWorld) async throws {
        let platform = try Platform("linux/arm64")
        let registration = try EmulatorRegistration()
        do {
            defer { registration.remove() }
            #expect(try await world.node.support(for: platform) == .emulated)
        }
        // Another registration of the host is not ours to remove.
        guard !EmulatorRegistration.hostHasOne else { return }
        #expect(
            try await world.node.support(for: platform)
                == .absent(
                    "The node cannot run programs of linux/arm64: no emulator is registered. Install qemu-user-static, or use another node."
                ))
    }
}
