// Word lists of the person records: given names with their short forms, syllables of made-up family
// names, streets and cities. Non-ASCII letters are written as escapes.

#include "world/record_words.hpp"

namespace sosia::world::words {
namespace {

constexpr Named kGivenGB[] = {{"Elizabeth", "Liz"}, {"Margaret", "Maggie"}, {"William", "Bill"},
                              {"Robert", "Bob"},    {"Katherine", "Kate"},  {"Thomas", "Tom"},
                              {"Edward", "Ted"},    {"Susan", "Sue"},       {"Andrew", "Andy"},
                              {"Jennifer", "Jen"},  {"Richard", "Dick"},    {"Patricia", "Pat"}};
constexpr std::string_view kStartGB[] = {"Ash",   "Bram", "Cold", "Hart",
                                         "Thorn", "Wick", "Mar",  "Fen"};
constexpr std::string_view kEndGB[] = {"well",  "ford", "combe", "ley",
                                       "stone", "by",   "worth", "ham"};
constexpr std::string_view kStreetGB[] = {"Mill",    "Church", "Station",
                                          "Orchard", "Queen",  "Bridge"};
constexpr Named kKindGB[] = {{"Street", "St"}, {"Road", "Rd"}, {"Lane", "Ln"}, {"Avenue", "Ave"}};
constexpr Named kCityGB[] = {
    {"Leeds", "LS1"}, {"Bristol", "BS1"}, {"Cardiff", "CF10"}, {"York", "YO1"}};
constexpr Named kGivenUS[] = {{"James", "Jim"},    {"Barbara", "Barb"},      {"Michael", "Mike"},
                              {"Deborah", "Deb"},  {"Christopher", "Chris"}, {"Rebecca", "Becky"},
                              {"Joseph", "Joe"},   {"Samantha", "Sam"},      {"Daniel", "Dan"},
                              {"Theodore", "Ted"}, {"Victoria", "Vicky"},    {"Benjamin", "Ben"}};
constexpr std::string_view kStartUS[] = {"Hol",  "Brad", "Kings", "Lang",
                                         "Whit", "Stan", "Mor",   "Cald"};
constexpr std::string_view kEndUS[] = {"den", "ton", "ley", "field", "man", "well", "dale", "ner"};
constexpr std::string_view kStreetUS[] = {"Maple", "Lincoln", "Lake", "Cedar", "Hill", "Park"};
constexpr Named kKindUS[] = {
    {"Street", "St"}, {"Avenue", "Ave"}, {"Boulevard", "Blvd"}, {"Drive", "Dr"}};
constexpr Named kCityUS[] = {
    {"Denver", "802"}, {"Austin", "787"}, {"Boston", "021"}, {"Tucson", "857"}};
constexpr Named kGivenDE[] = {
    {"Johannes", "Hannes"}, {"Katharina", "Kathi"},         {"Friedrich", "Fritz"},
    {"Elisabeth", "Lisa"},  {"J\u00f6rg", "J\u00f6rg"},     {"Susanne", "Susi"},
    {"Wolfgang", "Wolf"},   {"G\u00fcnter", "G\u00fcnni"},  {"Maximilian", "Max"},
    {"Annegret", "Anne"},   {"J\u00fcrgen", "J\u00fcrgen"}, {"K\u00e4the", "K\u00e4the"}};
constexpr std::string_view kStartDE[] = {"Brand", "Kel",  "Gr\u00fcn", "Wein",
                                         "Stein", "Hoch", "M\u00fch",  "Ros"};
constexpr std::string_view kEndDE[] = {"bach", "hauser", "mann", "dorfer",
                                       "ler",  "feld",   "ner",  "berg"};
constexpr std::string_view kStreetDE[] = {"Linden", "Schiller", "Bahnhof",
                                          "Garten", "Kirch",    "Wald"};
constexpr Named kKindDE[] = {
    {"stra\u00dfe", "str."}, {"weg", "weg"}, {"platz", "pl."}, {"allee", "allee"}};
constexpr Named kCityDE[] = {
    {"K\u00f6ln", "506"}, {"M\u00fcnchen", "803"}, {"Leipzig", "041"}, {"Bremen", "281"}};
constexpr Named kGivenFR[] = {{"\u00c9lisabeth", "Babette"},   {"Fr\u00e9d\u00e9ric", "Fred"},
                              {"Catherine", "Cathy"},          {"Beno\u00eet", "Ben"},
                              {"Fran\u00e7ois", "Franck"},     {"Genevi\u00e8ve", "Ginette"},
                              {"St\u00e9phane", "Steph"},      {"V\u00e9ronique", "V\u00e9ro"},
                              {"J\u00e9r\u00f4me", "J\u00e9"}, {"C\u00e9cile", "C\u00e9c\u00e9"},
                              {"Aur\u00e9lie", "Lili"},        {"Matthieu", "Mat"}};
constexpr std::string_view kStartFR[] = {"Beau", "Mont", "Cham", "Val",
                                         "Roch", "Dur",  "Fon",  "Gir"};
constexpr std::string_view kEndFR[] = {"lieu", "blanc", "ri\u00e8re", "vert",
                                       "ault", "ard",   "taine",      "oux"};
constexpr std::string_view kStreetFR[] = {"Victor-Hugo", "Gambetta", "Pasteur",
                                          "Foch",        "Voltaire", "Jaur\u00e8s"};
constexpr Named kKindFR[] = {
    {"rue", "r."}, {"avenue", "av."}, {"boulevard", "bd"}, {"place", "pl."}};
constexpr Named kCityFR[] = {
    {"Lyon", "690"}, {"N\u00eemes", "300"}, {"Lille", "590"}, {"Nantes", "440"}};
constexpr Named kGivenES[] = {
    {"Francisco", "Paco"},         {"Jos\u00e9", "Pepe"},   {"Dolores", "Lola"},
    {"Concepci\u00f3n", "Concha"}, {"Ignacio", "Nacho"},    {"Guadalupe", "Lupe"},
    {"Enrique", "Quique"},         {"Rosario", "Charo"},    {"Manuel", "Manolo"},
    {"In\u00e9s", "In\u00e9s"},    {"Andr\u00e9s", "Andy"}, {"Mar\u00eda", "Mari"}};
constexpr std::string_view kStartES[] = {"Cas", "Mor",  "Val",      "Her",
                                         "Zam", "Agui", "Pe\u00f1", "Cor"};
constexpr std::string_view kEndES[] = {"tillo", "ales", "verde", "rera",
                                       "brano", "lar",  "alver", "dero"};
constexpr std::string_view kStreetES[] = {"Mayor",     "Alcal\u00e1", "Goya",
                                          "Cervantes", "Col\u00f3n",  "Serrano"};
constexpr Named kKindES[] = {
    {"calle", "c/"}, {"avenida", "avda."}, {"plaza", "pza."}, {"paseo", "p\u00ba"}};
constexpr Named kCityES[] = {
    {"M\u00e1laga", "290"}, {"Bilbao", "480"}, {"C\u00e1diz", "110"}, {"Madrid", "280"}};
constexpr Named kGivenPL[] = {
    {"Ma\u0142gorzata", "Gosia"},  {"Katarzyna", "Kasia"},    {"Aleksander", "Olek"},
    {"Stanis\u0142aw", "Staszek"}, {"El\u017cbieta", "Ela"},  {"Agnieszka", "Aga"},
    {"Grzegorz", "Grzesiek"},      {"Krzysztof", "Krzysiek"}, {"Zofia", "Zosia"},
    {"\u0141ukasz", "\u0141uki"},  {"Joanna", "Asia"},        {"Tomasz", "Tomek"}};
constexpr std::string_view kStartPL[] = {"Kowal", "Wi\u015b", "Zie",      "G\u00f3r",
                                         "Brze",  "\u0141uk", "D\u0105b", "Maj"};
constexpr std::string_view kEndPL[] = {"czyk",        "niewski", "li\u0144ski", "ski",
                                       "zi\u0144ski", "asik",    "rowski",      "ewicz"};
constexpr std::string_view kStreetPL[] = {"Polna",   "Le\u015bna", "Ogrodowa",
                                          "Szkolna", "D\u0142uga", "Kr\u00f3tka"};
constexpr Named kKindPL[] = {
    {"ulica", "ul."}, {"aleja", "al."}, {"plac", "pl."}, {"osiedle", "os."}};
constexpr Named kCityPL[] = {{"Krak\u00f3w", "30-0"},
                             {"\u0141\u00f3d\u017a", "90-0"},
                             {"Gdynia", "81-0"},
                             {"Pozna\u0144", "60-0"}};
constexpr Region kRegions[] = {
    {"GB", kGivenGB, kStartGB, kEndGB, kStreetGB, kKindGB, kCityGB, "+44 1632 96"},
    {"US", kGivenUS, kStartUS, kEndUS, kStreetUS, kKindUS, kCityUS, "+1 303 555 01"},
    {"DE", kGivenDE, kStartDE, kEndDE, kStreetDE, kKindDE, kCityDE, "+49 30 23125 "},
    {"FR", kGivenFR, kStartFR, kEndFR, kStreetFR, kKindFR, kCityFR, "+33 1 99 00 "},
    {"ES", kGivenES, kStartES, kEndES, kStreetES, kKindES, kCityES, "+34 900 00 "},
    {"PL", kGivenPL, kStartPL, kEndPL, kStreetPL, kKindPL, kCityPL, "+48 22 555 0"},
};

}  // namespace

std::span<const Region> regions() {
  return kRegions;
}

}  // namespace sosia::world::words
