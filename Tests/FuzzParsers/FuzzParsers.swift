import Foundation
import Glibc

/// The program `fuzz-parsers PARSER FILE` gives many inputs to one parser, one after the other.
///
/// The file has each input after its length, a little-endian number of four bytes. For each input, the
/// program prints its number, `read` or `refused`, and the microseconds that it took. So if the process
/// ends, the next input is the one that ended it. At the end, it prints the peak of its memory in MiB.
///
/// Without arguments, it prints the names of the parsers.
@main
struct FuzzParsers {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 3 else { return print(Parsers.all.keys.sorted().joined(separator: "\n")) }
        guard let parse = Parsers.all[arguments[1]] else {
            print("No parser is called \(arguments[1]).")
            exit(64)
        }
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: arguments[2])))
        var position = 0
        var number = 0
        while position + 4 <= bytes.count {
            let length = (0..<4).reduce(0) { $0 | Int(bytes[position + $1]) << (8 * $1) }
            let input = Array(bytes[(position + 4)..<(position + 4 + length)])
            position += 4 + length
            let begin = ContinuousClock.now
            let isRead: Bool
            do {
                try await parse(input)
                isRead = true
            } catch {
                // The text of an error has parts of the input as well.
                _ = "\(error)"
                isRead = false
            }
            // It is written at once. So it is there, however the process ends.
            let line = "\(number) \(isRead ? "read" : "refused") \(Int((ContinuousClock.now - begin) / .microseconds(1)))\n"
            FileHandle.standardOutput.write(Data(line.utf8))
            number += 1
        }
        FileHandle.standardOutput.write(Data("peak \(peakMegabytes)\n".utf8))
    }

    private static var peakMegabytes: Int {
        let lines = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let peak = lines.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return (peak?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) / 1024
    }
}
