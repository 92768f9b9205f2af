import Foundation
import Testing

@testable import Postgres

struct TextFormTests {
    @Test(
        "a moment is written and read as PostgreSQL writes it",
        arguments: [
            ("2001-01-01 00:00:00.000000+00", 0.0), ("2026-11-21 10:00:00.123456+00", 816_948_000.123456),
            ("2000-02-29 23:59:59.999999+00", -26_438_400.000001),
            ("1970-01-01 00:00:00.000000+00", -978_307_200), ("0001-01-01 00:00:00.000000+00", -63_113_904_000),
            ("9999-12-31 23:59:59.000000+00", 252_423_993_599), ("1900-03-01 12:00:00.500000+00", -3_182_155_199.5),
        ])
    func momentIsWrittenAndReadAs(text: String, seconds: Double) throws {
        let date = Date(timeIntervalSinceReferenceDate: seconds)
        #expect(Timestamp(date)?.description == text)
        #expect(Timestamp(text)?.date == date)
    }

    @Test("the days of four centuries are read as written, each after the one before")
    func daysOfFourCenturiesAreRead() throws {
        var previous = ""
        for day in -73_049...73_048 {
            let timestamp = try #require(Timestamp(Date(timeIntervalSinceReferenceDate: Double(day) * 86_400)))
            let text = timestamp.description
            guard text > previous, Timestamp(text) == timestamp else {
                Issue.record("\(text) comes after \(previous)")
                break
            }
            previous = text
        }
    }

    @Test(
        "what is no moment in UTC is not read as one",
        arguments: ["infinity", "2026-11-21", "2026-11-21 10:00:00+01", "2026-13-01 00:00:00+00", "0044-03-15 00:00:00+00 BC", ""])
    func whatIsNoMomentInUTC(text: String) { #expect(Timestamp(text) == nil) }

    @Test("a decimal fraction is read to its last digit")
    func decimalFractionIsReadToIts() {
        #expect(Timestamp("2001-01-01 00:00:00.5+00")?.microseconds == 500_000)
        #expect(Timestamp("2001-01-01 00:00:00.00001+00")?.microseconds == 10)
        #expect(Timestamp("2001-01-01 00:00:00+00")?.microseconds == 0)
    }

    @Test("dates outside PostgreSQL's and Swift's common years are refused")
    func datesOutsidePostgreSQLAndSwiftCommon() {
        #expect(throws: PostgresError.self) { try Date.distantPast.addingTimeInterval(-1e12).postgresText() }
        #expect(throws: PostgresError.self) { try Date(timeIntervalSinceReferenceDate: .nan).postgresText() }
    }

    @Test(
        "an array's text is read element by element",
        arguments: [
            ("{}", []), ("{a,b}", ["a", "b"]), (#"{"a,b","c\"d","e\\f"}"#, ["a,b", "c\"d", "e\\f"]),
            (#"{NULL,"NULL",""}"#, [nil, "NULL", ""]),
            ("{é,\"😀 {}\"}", ["é", "😀 {}"]),
        ] as [(String, [String?])])
    func arrayTextIsReadElementBy(text: String, elements: [String?]) throws {
        let literal = try #require(ArrayLiteral(text))
        #expect(literal.elements == elements)
        #expect(ArrayLiteral(literal.description) == literal)
    }

    @Test("what is no array is not read as one", arguments: ["", "a", "{", "{a", "a}", "{a,}", "{{a}}", #"{"a}"#, #"{"a"b}"#])
    func whatIsNoArrayIsNot(text: String) { #expect(ArrayLiteral(text) == nil) }
}
