package board

import "testing"

// BenchmarkDrawing is one redrawing of the campaign after twenty minutes of
// load: what the judge's machine pays up to four times a second.
func BenchmarkDrawing(b *testing.B) {
	t := &testing.T{}
	d := newDemo(t)
	d.afternoon(demoSpan)
	v := NewView(newScorer())
	for _, e := range d.Entries() {
		if err := v.Add(e); err != nil {
			b.Fatal(err)
		}
	}
	a, err := newArtist(newSpeech("en", "UTC"))
	if err != nil {
		b.Fatal(err)
	}
	b.Run("standings", func(b *testing.B) {
		for b.Loop() {
			v.standings()
		}
	})
	b.Run("campaign", func(b *testing.B) {
		for b.Loop() {
			if _, err := a.paint(v, sceneCampaign, picture{}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
