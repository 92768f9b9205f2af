import Glibc
import ImageModel
import ImageTestKit
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

extension ProcessMark {
    /// Waits until no process has the mark.
    func expectGone() async throws { #expect(try await awaitEnd()) }
}
