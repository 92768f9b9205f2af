import Foundation
import Glibc
import SystemPackage

/// Process metrics are about the process and the host of one frontend. Their names are those of
/// Prometheus' own clients.
struct ProcessMetrics: Sendable {
    let version: String
    /// The target directories that everyone may know, by their names.
    let targets: [String: FilePath]

    /// Reads what the system says. It can block, because a directory may be on another host.
    var families: [MetricFamily] {
        [
            MetricFamily(
                "odcs_build_info", help: "The version of this frontend.", kind: .gauge,
                samples: [.init(labels: [("version", version)], value: 1)]),
            MetricFamily(
                "odcs_target_bytes_free", help: "Bytes that are free in a target directory, for this frontend.", kind: .gauge,
                samples: targets.sorted { $0.key < $1.key }.compactMap { name, path in
                    Self.freeBytes(at: path).map { .init(labels: [("target", name)], value: $0) }
                }),
        ] + process
    }

    private static func freeBytes(at path: FilePath) -> Double? {
        var status = statvfs()
        guard statvfs(path.string, &status) == 0 else { return nil }
        return Double(status.f_bavail) * Double(status.f_frsize)
    }

    private var process: [MetricFamily] {
        // The name of a program can have spaces, and ends with the last parenthesis. Without /proc, as in some
        // containers, these metrics are absent, and the others are shown.
        guard let text = try? String(contentsOfFile: "/proc/self/stat", encoding: .utf8), let end = text.lastIndex(of: ")") else {
            return []
        }
        let fields = text[end...].split(separator: " ").dropFirst().map { Double($0) ?? 0 }
        guard fields.count > 21 else { return [] }
        let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
        var families = [
            MetricFamily(
                "process_cpu_seconds_total", help: "Time of the processors that this frontend has used.", kind: .counter,
                value: (fields[11] + fields[12]) / ticks),
            MetricFamily(
                "process_resident_memory_bytes", help: "Memory of this frontend.", kind: .gauge,
                value: fields[21] * Double(sysconf(Int32(_SC_PAGESIZE)))),
        ]
        // If no further file can be opened, this metric is absent.
        if let open = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count {
            families.append(
                MetricFamily(
                    "process_open_fds", help: "Files and connections that this frontend has open.", kind: .gauge, value: Double(open)))
        }
        return families
    }
}
