import Foundation
import Glibc
import SystemPackage

/// A registration of qemu for programs of arm64 in binfmt_misc, with the line of Debian's package
/// qemu-user-static and under a name of its own.
public struct EmulatorRegistration {
    public struct Refused: Error, CustomStringConvertible {
        public let description: String
    }

    private let name = "odcs-test-\(getpid())-aarch64"
    private let mountPoint: FilePath

    /// Throws ``Refused`` with a sentence if the host does not allow it. Only root can register.
    public init() throws {
        let line = "/usr/lib/binfmt.d/qemu-aarch64.conf"
        guard let text = try? String(contentsOfFile: line, encoding: .utf8) else {
            throw Refused(description: "\(line) is absent: install qemu-user-static for the tests of arm64.")
        }
        mountPoint = FilePath(FileManager.default.temporaryDirectory.path).appending(name)
        mkdir(mountPoint.string, 0o755)
        guard mount("binfmt_misc", mountPoint.string, "binfmt_misc", 0, nil) == 0 else {
            let reason = String(cString: strerror(errno))
            rmdir(mountPoint.string)
            throw Refused(description: "The host forbids to mount binfmt_misc, which the tests of arm64 need: \(reason).")
        }
        do {
            let file = try FileDescriptor.open(mountPoint.appending("register"), .writeOnly)
            defer { try? file.close() }
            let parts = text.trimmingCharacters(in: .whitespacesAndNewlines).split(separator: ":", omittingEmptySubsequences: false)
            try file.writeAll((["", name] + parts.dropFirst(2).map(String.init)).joined(separator: ":").utf8)
        } catch {
            unmount()
            throw Refused(description: "The host forbids to register an emulator in binfmt_misc, which the tests of arm64 need: \(error).")
        }
    }

    private static let turns = Turns()

    /// Runs `body` while no other test registers an emulator, or expects that there is none. This holds for
    /// tests of other processes too, because all processes of a host share the emulators.
    public static func exclusively<Value: Sendable>(_ body: @Sendable () async throws -> Value) async throws -> Value {
        await turns.take()
        let lock = await lockFile()
        let result: Result<Value, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        close(lock)
        await turns.give()
        return try result.get()
    }

    /// Runs `body` with a registered emulator, like ``exclusively(_:)``. If the host forbids to register one,
    /// a line of the output says so, and `body` does not run.
    public static func ifAllowed(_ body: @Sendable () async throws -> Void) async throws {
        try await exclusively {
            let emulator: EmulatorRegistration
            do {
                emulator = try EmulatorRegistration()
            } catch let refusal as Refused {
                print("skipped: \(refusal)")
                return
            }
            defer { emulator.remove() }
            try await body()
        }
    }

    /// Returns the descriptor of a file that is locked until it is closed.
    private static func lockFile() async -> CInt {
        await withCheckedContinuation { continuation in
            // The wait blocks its thread.
            Thread.detachNewThread {
                let file = open("/tmp/odcs-test-emulator.lock", O_CREAT | O_RDWR | O_CLOEXEC, 0o666)
                flock(file, LOCK_EX)
                continuation.resume(returning: file)
            }
        }
    }

    /// Whether the host has an emulator registered under Debian's name. It is seen only where binfmt_misc
    /// is mounted at its usual place.
    public static var hostHasOne: Bool { access("/proc/sys/fs/binfmt_misc/qemu-aarch64", F_OK) == 0 }

    public func remove() {
        if let file = try? FileDescriptor.open(mountPoint.appending(name), .writeOnly) {
            _ = try? file.writeAll("-1".utf8)
            try? file.close()
        }
        unmount()
    }

    private func unmount() {
        umount2(mountPoint.string, CInt(MNT_DETACH))
        rmdir(mountPoint.string)
    }
}

/// One task after the other has the turn, in the order in which they asked.
private actor Turns {
    private var isTaken = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func take() async {
        guard isTaken else {
            isTaken = true
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    func give() {
        if waiting.isEmpty { isTaken = false } else { waiting.removeFirst().resume() }
    }
}
