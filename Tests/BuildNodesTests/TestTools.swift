import Foundation
import Glibc
import ImageModel
import Subprocess
import SystemPackage

/// skopeo, as an independent reader of registries.
enum Skopeo {
    /// Returns the configuration of an image as text.
    static func inspect(_ image: ImageReference) async throws -> String {
        let result = try await run(
            .name("skopeo"), arguments: ["inspect", "--config", "--tls-verify=false", "docker://\(image)"], output: .string(limit: 1 << 20))
        return result.standardOutput
    }
}

/// A port of loopback that nobody listens on.
enum UnusedPort {
    static func find() -> UInt16 {
        let socket = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                _ = bind(socket, pointer, size)
                _ = getsockname(socket, pointer, &size)
            }
        }
        return UInt16(bigEndian: address.sin_port)
    }
}

/// A duration for sleep(1) that only the processes of one test have as an argument.
struct ProcessMark: Sendable {
    let duration: String

    init(duration: String = "1\(UInt32.random(in: 100_000_000...999_999_999))") { self.duration = duration }

    /// Waits until `sleep DURATION` runs. The time limit of the test bounds it.
    func expectRunning() async throws { try await wait { $0 > 0 } }

    /// Waits until it does not run.
    func expectGone() async throws { try await wait { $0 == 0 } }

    private func wait(_ isDone: (Int) -> Bool) async throws {
        while !isDone(count()) {
            try Task.checkCancellation()
            // /proc has no event for the start of a process.
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    private func count() -> Int {
        let numbers = (try? FileManager.default.contentsOfDirectory(atPath: "/proc"))?.filter { pid_t($0) != nil } ?? []
        return numbers.filter { number in
            guard let line = FileManager.default.contents(atPath: "/proc/\(number)/cmdline") else { return false }
            return line.split(separator: 0).map { String(decoding: $0, as: UTF8.self) } == ["sleep", duration]
        }.count
    }
}
