import CLinux
import Foundation
import Glibc
import ImageModel
import NIOPosix
import Subprocess
import SystemPackage
import Testing

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

/// A number that only the processes of one test have as an argument of sleep(1). Example:
/// `sleep 1234567890`.
struct ProcessMark: Sendable {
    let duration: String

    init(duration: String = "1\(UInt32.random(in: 100_000_000...999_999_999))") { self.duration = duration }

    /// An instruction that prints a line and then runs on.
    var instruction: String { "RUN echo running \(duration); sleep \(duration)" }

    /// Returns whether a line of a build's log is the one that ``instruction`` prints.
    func isSign(_ line: String) -> Bool { line.hasSuffix("running \(duration)") && !line.contains("echo") }

    /// Waits until no process has the mark. The kernel reports the end of each one.
    func expectGone() async throws {
        for process in try processes() {
            let descriptor = pidfd_open(process, 0)
            // A process that cannot be opened has ended.
            guard descriptor >= 0 else { continue }
            defer { close(descriptor) }
            try await NIOThreadPool.singleton.runIfActive {
                var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                _ = Glibc.poll(&poll, 1, 60_000)
            }
        }
        #expect(try processes().isEmpty)
    }

    private func processes() throws -> [pid_t] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { pid_t($0) }.filter { number in
            guard let line = FileManager.default.contents(atPath: "/proc/\(number)/cmdline") else { return false }
            return line.split(separator: 0).map { String(decoding: $0, as: UTF8.self) } == ["sleep", duration]
        }
    }
}
