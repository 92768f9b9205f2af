import BuildNodes
import Glibc
import ImageModel
import ImageTestKit
import Testing

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

    @Test(
        "arm64 is emulated while qemu is registered, and absent afterwards",
        .enabled(if: geteuid() == 0 && Platform.host.architecture == "amd64", "Only root can register an emulator."))
    func emulated() async throws {
        try await BuildWorld.run { world in
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
}
